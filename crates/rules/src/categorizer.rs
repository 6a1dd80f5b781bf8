//! The layers of knowledge together: user before tenant before pack.

use std::borrow::Cow;

use domain::UserType;

use crate::decision::{ALTERNATIVES_MAX, Confidence, Decision, Explanation, Origin};
use crate::matcher::{Match, Matcher, Scratch};
use crate::pack::RulePack;
use crate::patterns::{UserMatch, UserPatterns};
use crate::reference;
use crate::rule::{Direction, Rule};
use crate::taxonomy::TagId;
use crate::tenant::TenantRules;
use crate::view::View;

/// Decides about the transactions of one user.
#[derive(Debug, Clone, Copy)]
pub struct Categorizer<'a> {
    pack: &'a RulePack,
    tree: UserType,
    tenant: Option<&'a TenantRules>,
    patterns: &'a UserPatterns,
}

impl<'a> Categorizer<'a> {
    /// Decides by the shipped rules alone.
    pub const fn new(pack: &'a RulePack, tree: UserType) -> Self {
        Self {
            pack,
            tree,
            tenant: None,
            patterns: UserPatterns::none(),
        }
    }

    /// Puts the rules of a tenant before the shipped ones. Rules of another tree count as none.
    #[must_use]
    pub fn with_tenant(self, tenant: Option<&'a TenantRules>) -> Self {
        let tenant = tenant.filter(|tenant| tenant.tree() == self.tree);
        Self { tenant, ..self }
    }

    /// Puts the decisions of a user before every rule.
    #[must_use]
    pub const fn with_patterns(self, patterns: &'a UserPatterns) -> Self {
        Self { patterns, ..self }
    }

    /// Decides about one transaction. There is always a decision: the fallback by direction.
    pub fn decide(&self, view: &View<'_>, scratch: &mut Scratch) -> Decision {
        if let Some(found) = self.patterns.find(view, &mut scratch.lookup)
            && let Some(decision) = of_user(&found, view)
        {
            return decision;
        }
        scratch.read(view);
        let mut tenant_spending = None;
        if let Some(tenant) = self.tenant {
            let matcher = tenant.matcher();
            let found = matcher.find(view, scratch);
            if view.direction() == Direction::Credit {
                tenant_spending = matcher.find_spending(view, scratch);
            }
            if let Some(found) = found {
                return self.of_tenant(&found, tenant_spending.as_ref(), view);
            }
        }
        self.of_pack(tenant_spending, view, scratch)
    }

    /// A tenant's rule decides whether it is sure or not: the tenant wants it so.
    fn of_tenant(&self, found: &Match, spending: Option<&Match>, view: &View<'_>) -> Decision {
        let scales = self.matcher().scales();
        match spending.filter(|_| found.may_be_refund(view, scales)) {
            Some(spending) => {
                let spending = (spending, Origin::Tenant);
                found.refunded(Origin::Tenant, spending, view, scales)
            }
            None => found.decision(Origin::Tenant, view),
        }
    }

    fn of_pack(
        &self,
        tenant_spending: Option<Match>,
        view: &View<'_>,
        scratch: &mut Scratch,
    ) -> Decision {
        let matcher = self.matcher();
        let scales = matcher.scales();
        let Some(found) = matcher.find(view, scratch) else {
            return matcher.nothing().decision(Origin::Pack, false, view);
        };
        if found.may_be_refund(view, scales) {
            let spending = match tenant_spending {
                Some(spending) => Some((spending, Origin::Tenant)),
                None => matcher
                    .find_spending(view, scratch)
                    .map(|spending| (spending, Origin::Pack)),
            };
            if let Some((spending, origin)) = spending {
                return found.refunded(Origin::Pack, (&spending, origin), view, scales);
            }
        }
        if !found.is_unsure(scales) {
            return found.decision(Origin::Pack, view);
        }
        let rest = matcher.find_rest(view, scratch).unwrap_or(found);
        rest.abstained(view)
    }

    /// The decision, and what every other rule and pattern that matches would have decided.
    pub fn explain(&self, view: &View<'_>, scratch: &mut Scratch) -> Explanation {
        let decision = self.decide(view, scratch);
        let users = self.patterns.matching(view);
        let mut all: Vec<Decision> = users
            .iter()
            .filter_map(|found| of_user(found, view))
            .collect();
        scratch.read(view);
        let credit = view.direction() == Direction::Credit;
        let matchers = self
            .tenant
            .map(|tenant| (Origin::Tenant, tenant.matcher()))
            .into_iter()
            .chain([(Origin::Pack, self.matcher())]);
        for (origin, matcher) in matchers {
            let found = matcher.candidates(view, scratch);
            all.extend(found.iter().map(|found| found.decision(origin, true, view)));
            if credit && let Some(spending) = matcher.find_spending(view, scratch) {
                all.push(spending.as_refund(origin, view, matcher.scales()));
            }
        }
        all.retain(|other| (other.origin, other.rule) != (decision.origin, decision.rule));
        all.truncate(ALTERNATIVES_MAX);
        Explanation {
            decision,
            alternatives: all,
        }
    }

    /// What a decision's rule or pattern says of a transaction by itself, looked at as slowly and
    /// plainly as the [`reference`] does, if it matches by the same evidence.
    ///
    /// An explanation is true when this gives its decision's tag.
    pub fn replay(&self, view: &View<'_>, decision: &Decision) -> Option<TagId> {
        match decision.origin {
            Origin::User => {
                let matching = self.patterns.matching(view);
                let same = matching.iter().find(|found| {
                    (found.rule, found.evidence) == (decision.rule, decision.evidence)
                });
                same.and_then(|found| found.category)
            }
            Origin::Tenant | Origin::Pack => {
                let rule = self.rule(decision)?;
                reference::replay(self.pack, (decision.rule, rule), decision, view)
            }
        }
    }

    /// The name of what decided: a rule's id, or `patterns[3]` or `ids[…]` of the user.
    pub fn rule_name(&self, decision: &Decision) -> Cow<'a, str> {
        match self.rule(decision) {
            Some(rule) => Cow::Borrowed(&rule.id),
            None => Cow::Owned(self.patterns.name(decision.rule)),
        }
    }

    /// The rule that decided; `None` for a user's own decision.
    pub fn rule(&self, decision: &Decision) -> Option<&'a Rule> {
        match decision.origin {
            Origin::Pack => Some(self.pack.rule(decision.rule)),
            Origin::Tenant => self.tenant.and_then(|tenant| tenant.rule(decision.rule)),
            Origin::User => None,
        }
    }

    /// The tags that the user's decisions add beside the path of the category: attributes, and
    /// categories that were not the last word. Empty, and free, without patterns.
    pub fn extra_tags(&self, view: &View<'_>) -> Vec<String> {
        self.patterns.extra_tags(self.pack.taxonomy(), view)
    }

    pub(crate) const fn pack(&self) -> &'a RulePack {
        self.pack
    }

    pub(crate) const fn tree(&self) -> UserType {
        self.tree
    }

    pub(crate) const fn tenant(&self) -> Option<&'a TenantRules> {
        self.tenant
    }

    pub(crate) const fn patterns(&self) -> &'a UserPatterns {
        self.patterns
    }

    const fn matcher(&self) -> &'a Matcher {
        self.pack.matcher(self.tree)
    }
}

/// The decision that a user's pattern makes; `None` when it is about attributes only.
pub(crate) fn of_user(found: &UserMatch, view: &View<'_>) -> Option<Decision> {
    Some(Decision {
        tag: found.category?,
        origin: Origin::User,
        rule: found.rule,
        evidence: found.evidence,
        intermediary: view.intermediary(),
        merchant: view.merchant_span(),
        refund_of: None,
        confidence: Confidence::CERTAIN,
        abstained: false,
    })
}
