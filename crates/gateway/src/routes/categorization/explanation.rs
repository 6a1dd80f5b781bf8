//! `GET /api/users/{user-id}/categorization/{transaction-id}/explanation`

use std::borrow::Cow;

use axum::extract::State;
use axum::http::StatusCode;
use domain::date::berlin_rfc3339;
use domain::{Account, Sensitive, Transaction};
use rules::decision::ALTERNATIVES_MAX;
use rules::{
    AccountContext, Categorizer, Decision, Evidence, Explanation, Field, Origin, Rule, RulePack,
    TenantRules,
};
use store::{Include, TaggedTransaction};
use wire::Share;
use wire::explanation::{AlternativeResponse, EvidenceResponse, ExplanationResponse, Replay};
use wire::line::field_name;

use super::deciding::{Compiled, Stored};
use super::{Shown, account, language, tagged};
use crate::error::{ApiError, ApiResult};
use crate::extract::{Caller, Query, TransactionPath, requirement};
use crate::http::Answer;
use crate::openapi::{ItemFailures, OneTransaction, Tenant, UserInPath};
use crate::state::AppState;

/// What stands in place of a rule's reason when the user decided himself.
const USERS_DECISION: &str = "The user decided so.";
const PACK: &str = Origin::Pack.as_str();
const TENANT: &str = Origin::Tenant.as_str();
const USER: &str = Origin::User.as_str();
/// Every field that may be stored as evidence.
const FIELDS: [Field; 12] = [
    Field::Counterparty,
    Field::Purpose,
    Field::BookingText,
    Field::UltimateCreditor,
    Field::UltimateDebtor,
    Field::CreditorId,
    Field::Iban,
    Field::MerchantCategoryCode,
    Field::TransactionCode,
    Field::PurposeCode,
    Field::Amount,
    Field::TransactionId,
];

/// Explains the tags of one transaction: who decided, by which rule, by what evidence, and what
/// else would have been possible.
///
/// Beyond the documents of finoOS. The stored decision is explained and made once more: `replay`
/// is `changed` when rules, patterns or data have changed since, so that the next analysis may
/// decide differently. 404 until the transaction is categorized.
#[utoipa::path(
    get,
    path = "/api/users/{user-id}/categorization/{transaction-id}/explanation",
    operation_id = "categorization-get-explanation",
    tag = "Categorization",
    security(("bearer" = [])),
    params(
        UserInPath, OneTransaction, Tenant,
        ("language" = Option<String>, Query, description = "`de` or `en`: adds `localizedTag`"),
    ),
    responses(
        (status = 200, description = "The explanation", body = ExplanationResponse),
        ItemFailures
    ),
)]
pub(crate) async fn get_explanation(
    caller: Caller<requirement::Categorization>,
    State(state): State<AppState>,
    path: TransactionPath,
    query: Query,
) -> ApiResult<Answer> {
    let (language, account) = (language(&query)?, account(&query)?);
    let turn = state.compile_turn().await?;
    let mut tx = state.store().begin_snapshot(caller.tenant()).await?;
    let user = caller.user(&mut tx, path.user_id).await?;
    let item = tagged(&mut tx, &user, &path, account.as_ref()).await?;
    let accounts = tx.accounts(user.id, Include::AccountsOnly).await?;
    let stored = Stored::load(&mut tx, &user, &state).await?;
    // The connection is free again while everything is compiled.
    drop(tx);
    turn.computed(move || {
        let compiled = stored.compile(&state);
        let subject = Subject {
            item: &item,
            accounts: &accounts,
            shown: Shown {
                taxonomy: state.rules().taxonomy(),
                user_type: user.user_type,
                language,
            },
        };
        subject.explained(state.rules(), &compiled)
    })
    .await?
}

/// What is to be explained, and how it is shown.
struct Subject<'a> {
    item: &'a TaggedTransaction,
    accounts: &'a [Account],
    shown: Shown<'a>,
}

impl Subject<'_> {
    /// Makes the decision once more and writes the answer.
    fn explained(&self, pack: &RulePack, compiled: &Compiled) -> ApiResult<Answer> {
        const GONE: ApiError = ApiError::NotFound {
            what: "categorized transaction",
        };
        let transaction = self.item.transaction.as_ref().ok_or(GONE)?;
        let of_item = |account: &&Account| account.id == self.item.account_id;
        let account = self.accounts.iter().find(of_item).ok_or(GONE)?;
        let context = AccountContext::new(account, self.accounts);
        let view = pack.prepare(transaction, &context);
        let categorizer = compiled.categorizer(pack, self.shown.user_type);
        let explanation = categorizer.explain(&view, &mut pack.scratch());
        let decided = Decided {
            item: self.item,
            shown: self.shown,
            transaction,
            pack,
            compiled,
            categorizer,
            extra_tags: categorizer.extra_tags(&view),
        };
        Answer::json(StatusCode::OK, &decided.response(&explanation))
    }
}

/// A stored decision beside the same transaction decided once more.
struct Decided<'a> {
    item: &'a TaggedTransaction,
    shown: Shown<'a>,
    transaction: &'a Transaction,
    pack: &'a RulePack,
    compiled: &'a Compiled,
    categorizer: Categorizer<'a>,
    /// What the user's patterns add now.
    extra_tags: Vec<String>,
}

impl<'a> Decided<'a> {
    fn response(&'a self, explanation: &Explanation) -> ExplanationResponse<'a> {
        let item = self.item;
        let replay = self.replay(&explanation.decision);
        let rule = self.rule(replay, &explanation.decision);
        let threshold = self.pack.abstention_threshold().per_ten_thousand();
        ExplanationResponse {
            abstained: match replay {
                Replay::Same => explanation.decision.abstained,
                Replay::Changed => item.origin == PACK && item.confidence < threshold,
            },
            account_id: item.account_id.as_str(),
            alternatives: self.alternatives(replay, explanation),
            confidence: Share(item.confidence),
            creation_date: berlin_rfc3339(item.created_at),
            descriptive_tag: &item.tag,
            evidence: match replay {
                Replay::Same => Some(self.evidence(explanation.decision.evidence)),
                Replay::Changed => stored_evidence(&item.evidence, self.transaction),
            },
            intermediary: item.intermediary.as_deref(),
            localized_tag: self.shown.label(&item.tag),
            merchant: item.merchant.as_ref().map(Sensitive::as_str),
            origin: &item.origin,
            refund_of: item.refund_of.as_deref(),
            replay,
            rule: &item.rule_id,
            source: rule.map(|rule| rule.source.as_str()),
            strength: rule.map(|rule| rule.strength.name.as_str()),
            tags: self.shown.tags(item),
            threshold: Share(threshold),
            transaction_id: item.transaction_id.as_str(),
            why: match item.origin.as_str() {
                USER => Some(USERS_DECISION),
                _ => rule.map(|rule| rule.why.as_str()),
            },
        }
    }

    /// Whether the decision is what is stored.
    fn replay(&self, decision: &Decision) -> Replay {
        let item = self.item;
        let taxonomy = self.pack.taxonomy();
        let is_same = taxonomy.name(decision.tag) == item.tag
            && decision.origin.as_str() == item.origin
            && self.categorizer.rule_name(decision) == item.rule_id
            && decision.refund_of.map(|tag| taxonomy.name(tag)) == item.refund_of.as_deref()
            && self.extra_tags == item.extra_tags;
        if is_same {
            Replay::Same
        } else {
            Replay::Changed
        }
    }

    /// The rule that decided, if it is still there.
    fn rule(&self, replay: Replay, decision: &Decision) -> Option<&'a Rule> {
        let name = &self.item.rule_id;
        match (replay, self.item.origin.as_str()) {
            (Replay::Same, _) => self.categorizer.rule(decision),
            (Replay::Changed, PACK) => self.pack.find_rule(name).map(|id| self.pack.rule(id)),
            (Replay::Changed, TENANT) => {
                let mut rules = self
                    .compiled
                    .tenant()
                    .into_iter()
                    .flat_map(TenantRules::rules);
                rules.find_map(|(_, rule)| (rule.id == *name).then_some(rule))
            }
            (Replay::Changed, _) => None,
        }
    }

    /// What else would have been possible; first of all what would be decided now.
    fn alternatives(
        &self,
        replay: Replay,
        explanation: &Explanation,
    ) -> Vec<AlternativeResponse<'a>> {
        let now = match replay {
            Replay::Same => None,
            Replay::Changed => Some(&explanation.decision),
        };
        let others = now.into_iter().chain(&explanation.alternatives);
        others
            .take(ALTERNATIVES_MAX)
            .map(|decision| self.alternative(decision))
            .collect()
    }

    fn alternative(&self, decision: &Decision) -> AlternativeResponse<'a> {
        let taxonomy = self.pack.taxonomy();
        let tag = taxonomy.name(decision.tag);
        let rule = self.categorizer.rule(decision);
        AlternativeResponse {
            confidence: Share(decision.confidence.per_ten_thousand()),
            descriptive_tag: tag,
            evidence: self.evidence(decision.evidence),
            localized_tag: self.shown.label(tag),
            origin: decision.origin.as_str(),
            refund_of: decision.refund_of.map(|tag| taxonomy.name(tag)),
            rule: self.categorizer.rule_name(decision),
            why: rule.map(|rule| rule.why.as_str()),
        }
    }

    fn evidence(&self, evidence: Evidence) -> EvidenceResponse<'a> {
        EvidenceResponse {
            end: evidence.end,
            field: field_name(evidence.field.as_str()),
            note: evidence.note.as_str(),
            start: evidence.start,
            text: evidence.matched(self.transaction),
        }
    }
}

/// Reads evidence as it is stored: `counterparty[0..7]: word or phrase`.
fn stored_evidence<'a>(
    stored: &'a str,
    transaction: &'a Transaction,
) -> Option<EvidenceResponse<'a>> {
    let (place, note) = stored.split_once(": ")?;
    let (name, span) = place.strip_suffix(']')?.split_once('[')?;
    let (start, end) = span.split_once("..")?;
    let (start, end) = (start.parse::<u32>().ok()?, end.parse::<u32>().ok()?);
    let field = FIELDS.into_iter().find(|field| field.as_str() == name)?;
    let text = match field.content(transaction) {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(start as usize..end as usize)?),
        Cow::Owned(number) => Cow::Owned(number),
    };
    Some(EvidenceResponse {
        end,
        field: field_name(field.as_str()),
        note,
        start,
        text,
    })
}

#[cfg(test)]
mod tests {
    use rules::example::Example;

    use super::*;

    #[test]
    fn stored_evidence_is_found_again() {
        let example = Example::parse("Netflix | abo | -12.50").expect("valid");
        for (stored, expected) in [
            (
                "counterparty[0..7]: word or phrase",
                Some(("paymentPartner.name", 0, 7, "word or phrase", "Netflix")),
            ),
            (
                "amount[0..0]: direction of the money only",
                Some(("amount", 0, 0, "direction of the money only", "-12.5")),
            ),
            ("counterparty[0..70]: word or phrase", None),
            ("counterparty[2..x]: word or phrase", None),
            ("weather[0..1]: word or phrase", None),
            ("purpose", None),
        ] {
            let found = stored_evidence(stored, &example.transaction);
            let found = found.as_ref().map(|found| {
                (
                    found.field,
                    found.start,
                    found.end,
                    found.note,
                    &*found.text,
                )
            });
            assert_eq!(found, expected, "{stored}");
        }
    }
}
