//! Failed logins, limited per client id and peer address, per peer address, and more widely per
//! client id: one host must not lock out a client that it can name.

use std::net::IpAddr;
use std::sync::Arc;

use domain::Clock;

use crate::rate::{Buckets, Exhausted, Rate};
use crate::settings::RateLimits;

/// Keys of each kind that are remembered at a time.
const KEYS_MAX: usize = 10_000;

/// Counts failed logins of this process; each replica counts its own.
pub(crate) struct Logins {
    clients: Buckets<(Arc<str>, IpAddr)>,
    addresses: Buckets<IpAddr>,
    /// Whoever guesses from many addresses.
    client_wide: Buckets<Arc<str>>,
}

/// A login under way. It counts as failed until it is known to have succeeded.
#[must_use]
pub(crate) struct Attempt<'a> {
    logins: &'a Logins,
    client: Arc<str>,
    address: IpAddr,
}

impl Logins {
    pub(crate) fn new(rates: &RateLimits, clock: &Arc<dyn Clock>) -> Self {
        let client = Rate::per_minute(rates.failed_logins_client, rates.failed_logins_client);
        let address = Rate::per_minute(rates.failed_logins_address, rates.failed_logins_address);
        let wide = rates.failed_logins_client_wide;
        let client_wide = Rate::per_minute(wide, wide);
        Self {
            clients: Buckets::new(client, KEYS_MAX, Arc::clone(clock)),
            addresses: Buckets::new(address, KEYS_MAX, Arc::clone(clock)),
            client_wide: Buckets::new(client_wide, KEYS_MAX, Arc::clone(clock)),
        }
    }

    /// Refuses a login that stands no chance before it waits for anything.
    ///
    /// # Errors
    /// `Exhausted` after too many failures.
    pub(crate) fn check(&self, client: &str, address: IpAddr) -> Result<(), Exhausted> {
        let (client, address) = (Arc::from(client), network(address));
        self.addresses.check(&address)?;
        self.client_wide.check(&client)?;
        self.clients.check(&(client, address))
    }

    /// Begins a login. It is counted before its secret is compared, so that many attempts at the
    /// same moment cannot slip past the limit.
    ///
    /// # Errors
    /// `Exhausted` after too many failures.
    pub(crate) fn begin(&self, client: &str, address: IpAddr) -> Result<Attempt<'_>, Exhausted> {
        let (client, address) = (Arc::<str>::from(client), network(address));
        self.addresses.take(&address)?;
        if let Err(exhausted) = self.client_wide.take(&client) {
            self.addresses.give_back(&address);
            return Err(exhausted);
        }
        if let Err(exhausted) = self.clients.take(&(Arc::clone(&client), address)) {
            self.addresses.give_back(&address);
            self.client_wide.give_back(&client);
            return Err(exhausted);
        }
        Ok(Attempt {
            logins: self,
            client,
            address,
        })
    }
}

impl Attempt<'_> {
    /// The secret was right, or was never compared: nothing is counted.
    pub(crate) fn forgive(self) {
        self.logins.addresses.give_back(&self.address);
        self.logins.client_wide.give_back(&self.client);
        self.logins.clients.give_back(&(self.client, self.address));
    }
}

/// An IPv6 subscriber owns at least a /64, so that counts as one address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6([a, b, c, d, 0, 0, 0, 0].into())
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::SystemClock;

    use super::*;

    fn logins(client: u32, address: u32, client_wide: u32) -> Logins {
        let rates = RateLimits {
            failed_logins_client: client,
            failed_logins_address: address,
            failed_logins_client_wide: client_wide,
            ..RateLimits::default()
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Logins::new(&rates, &clock)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn one_host_does_not_lock_out_a_client() {
        let logins = logins(2, 100, 100);
        for host in ["2001:db8::1", "2001:db8::2"] {
            let _failed = logins.begin("demo", address(host)).expect("allowed");
        }
        for _ in 0..100 {
            assert!(logins.begin("demo", address("2001:db8::3")).is_err());
        }
        assert!(logins.check("demo", address("2001:db8::3")).is_err());
        assert!(logins.begin("other", address("2001:db8::3")).is_ok());
        assert!(logins.check("demo", address("192.0.2.1")).is_ok());
        assert!(logins.begin("demo", address("192.0.2.1")).is_ok());
    }

    #[test]
    fn failures_count_per_client_from_anywhere() {
        let logins = logins(100, 100, 2);
        for host in ["192.0.2.1", "192.0.2.2"] {
            let _failed = logins.begin("demo", address(host)).expect("allowed");
        }
        assert!(logins.check("demo", address("192.0.2.3")).is_err());
        assert!(logins.begin("demo", address("192.0.2.3")).is_err());
        assert!(logins.begin("other", address("192.0.2.3")).is_ok());
    }

    #[test]
    fn failures_count_per_address_whatever_the_client() {
        let logins = logins(100, 2, 100);
        for (client, host) in [("a", "2001:db8::1"), ("b", "2001:db8::2")] {
            let _failed = logins.begin(client, address(host)).expect("allowed");
        }
        assert!(logins.begin("c", address("2001:db8::3")).is_err());
        assert!(logins.begin("c", address("2001:db8:0:1::3")).is_ok());
    }

    #[test]
    fn right_logins_never_count() {
        let logins = logins(1, 1, 1);
        for _ in 0..10 {
            logins
                .begin("demo", address("192.0.2.1"))
                .expect("allowed")
                .forgive();
        }
    }
}
