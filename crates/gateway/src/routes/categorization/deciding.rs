//! Everything that decides about the transactions of a user, loaded and compiled once more to
//! explain a decision.

use std::sync::Arc;

use domain::{PatternSet, TenantId, UserType};
use rules::{Categorizer, RulePack, TenantRules, UserPatterns};
use store::{StoreError, TenantRuleSource, TenantTx, User};

use crate::state::AppState;

/// What is stored of a user's and the tenant's decisions.
pub(super) struct Stored {
    tenant_id: TenantId,
    user_type: UserType,
    patterns: PatternSet,
    tenant: Tenant,
}

enum Tenant {
    None,
    Compiled(Arc<TenantRules>),
    Source(TenantRuleSource),
}

/// The same, ready to decide.
pub(super) struct Compiled {
    patterns: UserPatterns,
    tenant: Option<Arc<TenantRules>>,
}

impl Stored {
    /// Reads what is stored. The text of rules only when they are not compiled yet: it may be a
    /// megabyte.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn load(
        tx: &mut TenantTx,
        user: &User,
        state: &AppState,
    ) -> Result<Self, StoreError> {
        let (tenant_id, user_type) = (tx.tenant(), user.user_type);
        let hash = tx.tenant_rules_hash(user_type).await?;
        let kept = |hash: &String| state.tenant_rules().find(tenant_id, user_type, hash);
        let tenant = match (hash.as_ref().and_then(kept), hash) {
            (_, None) => Tenant::None,
            (Some(rules), Some(_)) => Tenant::Compiled(rules),
            (None, Some(_)) => tx
                .tenant_rules(user_type)
                .await?
                .map_or(Tenant::None, Tenant::Source),
        };
        Ok(Self {
            tenant_id,
            user_type,
            patterns: tx.patterns(user.id).await?,
            tenant,
        })
    }

    /// Compiles it as the analysis does: what does not fit the shipped rules any more is left out,
    /// and the explanation says that the decision changed.
    pub(super) fn compile(&self, state: &AppState) -> Compiled {
        let pack = state.rules();
        let tenant = match &self.tenant {
            Tenant::None => None,
            Tenant::Compiled(rules) => Some(Arc::clone(rules)),
            Tenant::Source(stored) => {
                let rules = TenantRules::load(pack, self.user_type, &stored.source);
                let rules = Arc::new(rules);
                state.tenant_rules().keep(self.tenant_id, &rules);
                Some(rules)
            }
        };
        let (patterns, _) = UserPatterns::load(pack.taxonomy(), self.user_type, &self.patterns);
        Compiled { patterns, tenant }
    }
}

impl Compiled {
    /// What decides, layer above layer.
    pub(super) fn categorizer<'a>(&'a self, pack: &'a RulePack, tree: UserType) -> Categorizer<'a> {
        Categorizer::new(pack, tree)
            .with_tenant(self.tenant.as_deref())
            .with_patterns(&self.patterns)
    }

    /// The tenant's rules, as far as they go with the shipped ones.
    pub(super) fn tenant(&self) -> Option<&TenantRules> {
        self.tenant.as_deref()
    }
}
