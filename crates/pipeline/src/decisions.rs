//! What the user and the tenant decided beyond the shipped rules: loaded with the data, compiled
//! before it is analysed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use analysis::Layers;
use domain::{Finding, FindingCode, PatternSet, TenantId, UserType};
use rules::{PatternProblem, RulePack, TenantRules, UnusableRule, UserPatterns};
use store::{StoreError, TenantRuleSource, TenantTx, User};
use tracing::warn;

/// Most rules of tenants that stay compiled, each for one kind of user.
pub const TENANT_RULES_KEPT: usize = 32;

/// Most rules and patterns together of which a run tells that they were left out.
pub const LEFT_OUT_TOLD_MAX: usize = 200;

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
    /// What was left out, up to [`LEFT_OUT_TOLD_MAX`].
    pub(crate) left_out: Vec<Finding>,
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

    /// Compiles what was read, as far as it can be used.
    ///
    /// It was accepted once, so something is left out only when the shipped rules or the taxonomy
    /// have changed since. One rule or pattern that lost its meaning must not take everything else
    /// from the user; what is left out is told with the run.
    pub(crate) fn compile(
        &self,
        pack: &RulePack,
        user_type: UserType,
        cache: &TenantRulesCache,
    ) -> Compiled {
        let (patterns, problems) = UserPatterns::load(pack.taxonomy(), user_type, &self.patterns);
        let tenant = match &self.tenant {
            Tenant::None => None,
            Tenant::Compiled(rules) => Some(Arc::clone(rules)),
            Tenant::Source(tenant, stored) => {
                let rules = Arc::new(TenantRules::load(pack, user_type, &stored.source));
                cache.keep((*tenant, user_type, stored.hash.clone()), &rules);
                Some(rules)
            }
        };
        let left_out = left_out(tenant.as_deref(), &problems);
        Compiled {
            patterns,
            tenant,
            left_out,
        }
    }
}

/// Tells of the first rules and patterns that were left out, here and in the log: whose they are
/// is known from the span, what they look for stands in neither.
fn left_out(tenant: Option<&TenantRules>, problems: &[PatternProblem]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let unusable = tenant.map_or(&[][..], TenantRules::unusable);
    for UnusableRule { rule, problem } in unusable.iter().take(LEFT_OUT_TOLD_MAX) {
        warn!(rule.id = %rule, %problem, "a rule of the tenant was left out");
        findings.push(Finding::new(rule, FindingCode::UnusableRule, problem));
    }
    let room = LEFT_OUT_TOLD_MAX.saturating_sub(findings.len());
    for PatternProblem { place, message, .. } in problems.iter().take(room) {
        warn!(pattern.path = %place, problem = %message, "a pattern of the user was left out");
        findings.push(Finding::new(place, FindingCode::UnusablePattern, message));
    }
    findings
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
