//! Compiled rules of tenants, kept for the explanations that ask for them again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{TenantId, UserType};
use rules::TenantRules;

/// Most rules that stay compiled, each of one tenant for one type of user.
const KEPT_MAX: usize = 32;

/// Whose rules, for which type of user, and what identifies their text.
type Key = (TenantId, UserType, String);

/// The rules that were asked for last.
#[derive(Debug, Default)]
pub(crate) struct KeptRules(Mutex<VecDeque<(Key, Arc<TenantRules>)>>);

impl KeptRules {
    /// Finds rules, and keeps them longer than those not asked for.
    pub(crate) fn find(
        &self,
        tenant: TenantId,
        tree: UserType,
        hash: &str,
    ) -> Option<Arc<TenantRules>> {
        let mut kept = self.lock();
        let place = kept.iter().position(|((whose, of, text), _)| {
            (*whose, *of, text.as_str()) == (tenant, tree, hash)
        })?;
        let found = kept.remove(place)?;
        let rules = Arc::clone(&found.1);
        kept.push_back(found);
        Some(rules)
    }

    /// Keeps rules in the place of the tenant's older ones, or of those not asked for longest.
    pub(crate) fn keep(&self, tenant: TenantId, rules: &Arc<TenantRules>) {
        let tree = rules.tree();
        let mut kept = self.lock();
        kept.retain(|((whose, of, _), _)| (*whose, *of) != (tenant, tree));
        while kept.len() >= KEPT_MAX {
            kept.pop_front();
        }
        let key = (tenant, tree, rules.hash().to_owned());
        kept.push_back((key, Arc::clone(rules)));
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Key, Arc<TenantRules>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
