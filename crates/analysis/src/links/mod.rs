//! Bookings that belong together, so that each chain is counted once: transfers between own
//! accounts, payments that were taken back, money that was given back for a purchase.
//!
//! [`detect`] looks for returns first ([`returned`]), because a payment that was taken back is no
//! transfer; then for pairs of bookings on two accounts ([`transfer`]), between which [`assign`]
//! decides by all the evidence there is ([`weigh`]); then for transfers of which only one side is
//! there ([`one_sided`]); last for refunds ([`refund`]).
//!
//! **Invariant:** a booking has one role and one meaning for sums ([`Counts`]); what is linked does
//! not depend on the order of input, because ties are decided by the order of events.

mod assign;
mod charges;
pub(crate) mod facts;
mod link;
mod one_sided;
pub(crate) mod owners;
mod rates;
mod refund;
mod returned;
mod sums;
mod transfer;
pub(crate) mod weigh;
pub(crate) mod wording;

use domain::Account;

use crate::event::{Event, Role};
use facts::{Fact, Facts, index};

pub use link::{Counts, Evidence, Link, LinkKind, Member, MemberRole, Place};
pub use rates::{NoRates, Rates};
pub use sums::Sums;
pub use transfer::DAYS_MAX;

pub(crate) use refund::stem;

/// All links of a user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Links {
    /// The links, the one with the oldest booking first.
    pub links: Vec<Link>,
    /// The role of each event.
    pub roles: Vec<Role>,
    /// What each event means for sums.
    pub counts: Vec<Counts>,
    /// What is known of each event, for what else builds on it.
    pub(crate) known: Vec<Fact>,
}

impl Links {
    /// Tells the events their roles.
    pub fn mark(&self, events: &mut [Event<'_>]) {
        for (event, role) in events.iter_mut().zip(&self.roles) {
            event.role = *role;
        }
    }
}

/// Finds the links between a user's bookings.
///
/// `events` come from [`event::stream`](crate::event::stream) over `accounts`.
pub fn detect(accounts: &[Account], events: &[Event<'_>], rates: &dyn Rates) -> Links {
    let facts = Facts::new(accounts, events);
    let mut linked = Linked::new(events.len());
    returned::link(&facts, &mut linked);
    transfer::pair(&facts, rates, &mut linked);
    one_sided::link(&facts, &mut linked);
    refund::link(&facts, &mut linked);
    linked.finish(events, facts.known)
}

/// The links so far.
pub(crate) struct Linked {
    roles: Vec<Role>,
    /// Whether each event has a part in a link.
    taken: Vec<bool>,
    /// The oldest event of each link, and the link.
    links: Vec<(u32, Link)>,
}

impl Linked {
    fn new(events: usize) -> Self {
        Self {
            roles: vec![Role::Ordinary; events],
            taken: vec![false; events],
            links: Vec::new(),
        }
    }

    pub(crate) fn role(&self, event: u32) -> Role {
        self.roles.get(index(event)).copied().unwrap_or_default()
    }

    pub(crate) fn is_linked(&self, event: u32) -> bool {
        self.taken.get(index(event)).copied().unwrap_or_default()
    }

    pub(crate) fn mark(&mut self, event: u32, role: Role) {
        if let Some(slot) = self.roles.get_mut(index(event)) {
            *slot = role;
        }
        if let Some(slot) = self.taken.get_mut(index(event)) {
            *slot = true;
        }
    }

    pub(crate) fn push(&mut self, first: u32, link: Link) {
        self.links.push((first, link));
    }

    fn finish(mut self, events: &[Event<'_>], known: Vec<Fact>) -> Links {
        self.links.sort_by_key(|(first, link)| (*first, link.kind));
        let mut counts: Vec<(Place, Counts)> = self
            .links
            .iter()
            .flat_map(|(_, link)| {
                link.members
                    .iter()
                    .map(|member| (member.place, member.counts))
            })
            .collect();
        counts.sort_unstable();
        let counts = events
            .iter()
            .map(|event| {
                let wanted = place(event);
                let at = counts
                    .binary_search_by_key(&wanted, |(place, _)| *place)
                    .ok();
                at.and_then(|at| counts.get(at)).map(|(_, counts)| *counts)
            })
            .map(Option::unwrap_or_default)
            .collect();
        Links {
            links: self.links.into_iter().map(|(_, link)| link).collect(),
            roles: self.roles,
            counts,
            known,
        }
    }
}

/// Where an event is.
pub(crate) const fn place(event: &Event<'_>) -> Place {
    Place {
        account_index: event.account_index,
        transaction_index: event.transaction_index,
    }
}
