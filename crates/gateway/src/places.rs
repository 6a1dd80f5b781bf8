//! Places per client, so that none of them takes what all of them share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::ClientId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many places for each client.
///
/// A client is remembered only while it has or awaits a place, so there are never more clients
/// than requests under way.
#[derive(Clone)]
pub(crate) struct Places {
    each: usize,
    clients: Arc<Mutex<BTreeMap<ClientId, Entry>>>,
}

struct Entry {
    places: Arc<Semaphore>,
    /// Who has a place or awaits one.
    users: usize,
}

/// A place of a client, free again once it is dropped.
#[must_use]
pub(crate) struct Place {
    all: Places,
    client: ClientId,
    permit: Option<OwnedSemaphorePermit>,
}

impl Places {
    pub(crate) fn new(each: usize) -> Self {
        Self {
            each,
            clients: Arc::default(),
        }
    }

    /// A place, `None` when the client has taken all of its own.
    pub(crate) fn take(&self, client: &ClientId) -> Option<Place> {
        let (mut place, places) = self.reserve(client);
        place.permit = places.try_acquire_owned().ok();
        place.permit.is_some().then_some(place)
    }

    /// Waits for a place, `None` when none became free in time.
    pub(crate) async fn wait(&self, client: &ClientId, patience: Duration) -> Option<Place> {
        // Counts the waiting already, also when it is given up.
        let (mut place, places) = self.reserve(client);
        let permit = tokio::time::timeout(patience, places.acquire_owned()).await;
        place.permit = permit.ok()?.ok();
        place.permit.is_some().then_some(place)
    }

    fn reserve(&self, client: &ClientId) -> (Place, Arc<Semaphore>) {
        let mut clients = self.lock();
        let entry = clients.entry(client.clone()).or_insert_with(|| Entry {
            places: Arc::new(Semaphore::new(self.each)),
            users: 0,
        });
        entry.users = entry.users.saturating_add(1);
        let place = Place {
            all: self.clone(),
            client: client.clone(),
            permit: None,
        };
        (place, Arc::clone(&entry.places))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ClientId, Entry>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.permit.take());
        let mut clients = self.all.lock();
        if let Some(entry) = clients.get_mut(&self.client) {
            entry.users = entry.users.saturating_sub(1);
            if entry.users == 0 {
                clients.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(10);

    fn client(id: &str) -> ClientId {
        ClientId::try_new(id).expect("an id")
    }

    #[test]
    fn each_client_has_its_own_places() {
        let places = Places::new(2);
        let held = [places.take(&client("a")), places.take(&client("a"))];
        assert!(held.iter().all(Option::is_some));
        assert!(places.take(&client("a")).is_none());
        assert!(places.take(&client("b")).is_some());
        drop(held);
        assert!(places.take(&client("a")).is_some());
    }

    #[tokio::test]
    async fn who_waits_gets_the_next_place() {
        let places = Places::new(1);
        let id = client("a");
        let held = places.take(&id);
        assert!(places.wait(&id, Duration::ZERO).await.is_none());
        let (waited, ()) = tokio::join!(places.wait(&id, LONG), async { drop(held) });
        assert!(waited.is_some());
    }

    #[tokio::test]
    async fn clients_without_a_place_are_forgotten() {
        let places = Places::new(1);
        let held = places.take(&client("a"));
        assert!(places.take(&client("a")).is_none());
        let id = client("a");
        let mut given_up = Box::pin(places.wait(&id, LONG));
        assert!(futures_util::poll!(&mut given_up).is_pending());
        drop(held);
        assert_eq!(places.lock().len(), 1, "somebody waits");
        drop(given_up);
        assert_eq!(places.lock().len(), 0);
    }
}
