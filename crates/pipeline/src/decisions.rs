//! What the user and the tenant decided beyond the shipped rules: loaded with the data, compiled
//! before it is analysed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use analysis::Layers;
use domain::{PatternSet, TenantId, UserType};
use rules::{RulePack, RulesError, TenantRules, UserPatterns};
use store::{StoreError, TenantRuleSource, TenantTx, User};

use crate::error::PipelineError;

/// Most rules of tenants that stay compiled, each for one kind of user.
pub const TENANT_RULES_KEPT: usize = 32;

/// Whose rules, for which kind of user, and what identifies their text.
type Key = (TenantId, UserType, String);

/// The compiled rules of the tenants that were met last.
///
/// The same text gives the same rules, so whether they are found here changes no result.
#[derive(Debug, Default)]
pub(crate) struct TenantRulesCache(Mutex<VecDeque<(Key, Arc<TenantRules>)>>);

impl TenantRulesCache {
    /// Finds rules, and keeps them longer than those not asked for.
    fn find(&self, key: &Key) -> Option<Arc<TenantRules>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|(other, _)| other == key)?;
        let found = kept.remove(place)?;
        let rules = Arc::clone(&found.1);
        kept.push_back(found);
        Some(rules)
    }

    /// Keeps rules in the place of the tenant's older ones, or else of those not asked for longest.
    fn keep(&self, key: Key, rules: &Arc<TenantRules>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|((tenant, user_type, _), _)| (*tenant, *user_type) != (key.0, key.1));
        while kept.len() >= TENANT_RULES_KEPT {
            kept.pop_front();
        }
        kept.push_back((key, Arc::clone(rules)));
    }
}

/// A tenant's rules, as they were found.
#[derive(Debug, Default)]
enum Tenant {
    /// There are none for this kind of user.
    #[default]
    None,
    /// They were compiled for an earlier job.
    Compiled(Arc<TenantRules>),
    /// They are to be compiled.
    Source(TenantId, TenantRuleSource),
}

/// What the user and the tenant decided, as it was stored when the data was loaded.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    patterns: PatternSet,
    tenant: Tenant,
}

/// The same, ready to match.
#[derive(Debug)]
pub(crate) struct Compiled {
    patterns: UserPatterns,
    pub(crate) tenant: Option<Arc<TenantRules>>,
}

impl Decisions {
    /// Reads what is stored, in the transaction that reads the data.
    pub(crate) async fn load(
        tx: &mut TenantTx,
        user: &User,
        cache: &TenantRulesCache,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            patterns: tx.patterns(user.id).await?,
            tenant: Tenant::load(tx, user.user_type, cache).await?,
        })
    }

    /// Compiles what was read.
    ///
    /// It was accepted once, so it fails only when the shipped rules have changed since. No further
    /// attempt can succeed until somebody corrects it: guessing what was meant would set wrong tags.
    pub(crate) fn compile(
        &self,
        pack: &RulePack,
        user_type: UserType,
        cache: &TenantRulesCache,
    ) -> Result<Compiled, PipelineError> {
        let patterns = UserPatterns::compile(pack.taxonomy(), user_type, &self.patterns)
            .map_err(PipelineError::Patterns)?;
        let tenant = match &self.tenant {
            Tenant::None => None,
            Tenant::Compiled(rules) => Some(Arc::clone(rules)),
            Tenant::Source(tenant, stored) => {
                let rules = TenantRules::load(pack, user_type, &stored.source)
                    .map_err(|error| unusable(error, &stored.source))?;
                let rules = Arc::new(rules);
                cache.keep((*tenant, user_type, stored.hash.clone()), &rules);
                Some(rules)
            }
        };
        Ok(Compiled { patterns, tenant })
    }
}

impl Compiled {
    /// What goes before the shipped rules.
    pub(crate) fn layers(&self) -> Layers<'_> {
        Layers {
            tenant: self.tenant.as_deref(),
            patterns: &self.patterns,
        }
    }
}

impl Tenant {
    /// Reads the text only when it is not compiled yet; it can be a megabyte.
    async fn load(
        tx: &mut TenantTx,
        user_type: UserType,
        cache: &TenantRulesCache,
    ) -> Result<Self, StoreError> {
        let Some(hash) = tx.tenant_rules_hash(user_type).await? else {
            return Ok(Self::None);
        };
        if let Some(rules) = cache.find(&(tx.tenant(), user_type, hash)) {
            return Ok(Self::Compiled(rules));
        }
        let stored = tx.tenant_rules(user_type).await?;
        Ok(stored.map_or(Self::None, |stored| Self::Source(tx.tenant(), stored)))
    }
}

fn unusable(error: RulesError, text: &str) -> PipelineError {
    let RulesError::Format { source, .. } = &error else {
        return PipelineError::TenantRules(error);
    };
    let before = source.span().and_then(|span| text.get(..span.start));
    PipelineError::TenantRulesFormat {
        line: before.unwrap_or_default().matches('\n').count() + 1,
        problem: source.message().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{IdSource as _, SystemIds};

    fn tenants(count: usize) -> Vec<TenantId> {
        let new = || TenantId::new(SystemIds.uuid());
        std::iter::repeat_with(new).take(count).collect()
    }

    fn key(tenant: TenantId, hash: &str) -> Key {
        (tenant, UserType::Person, hash.to_owned())
    }

    #[test]
    fn rules_not_asked_for_are_the_first_to_go() {
        let pack = RulePack::builtin().expect("a pack");
        let rules = TenantRules::compile(&pack, UserType::Person, "").expect("no rules");
        let (rules, cache) = (Arc::new(rules), TenantRulesCache::default());
        let tenants = tenants(TENANT_RULES_KEPT + 1);
        let (newest, others) = tenants.split_last().expect("some");
        for tenant in others {
            cache.keep(key(*tenant, "x"), &rules);
        }
        assert!(cache.find(&key(others[0], "x")).is_some());
        cache.keep(key(*newest, "x"), &rules);
        let found = |tenant: &TenantId| cache.find(&key(*tenant, "x")).is_some();
        let gone: Vec<_> = tenants.iter().filter(|tenant| !found(tenant)).collect();
        assert_eq!(gone, [&others[1]]);
    }

    #[test]
    fn a_tenant_s_new_rules_replace_its_old_ones_only() {
        let pack = RulePack::builtin().expect("a pack");
        let rules = TenantRules::compile(&pack, UserType::Person, "").expect("no rules");
        let (rules, cache) = (Arc::new(rules), TenantRulesCache::default());
        let tenants = tenants(2);
        let of_companies = (tenants[0], UserType::Company, "old".to_owned());
        cache.keep(key(tenants[0], "old"), &rules);
        cache.keep(of_companies.clone(), &rules);
        cache.keep(key(tenants[1], "old"), &rules);
        cache.keep(key(tenants[0], "new"), &rules);
        for (key, kept) in [
            (key(tenants[0], "old"), false),
            (key(tenants[0], "new"), true),
            (of_companies, true),
            (key(tenants[1], "old"), true),
            (key(tenants[1], "new"), false),
        ] {
            assert_eq!(cache.find(&key).is_some(), kept, "{key:?}");
        }
    }
}
