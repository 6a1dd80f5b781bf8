//! Identifiers for accounts and transactions whose sender gave none.
//!
//! Over HTTP they follow from the content, so that an upload that is sent again finds what it
//! stored before instead of doubling it. In files they follow from the position.

use std::collections::HashMap;

use chrono::NaiveDate;
use domain::{Account, AccountId, Counterparty, IdError, Money, TransactionId, iban};
use uuid::Uuid;
use wire::json::InvalidInput;

use crate::upload::{IdOrigin, UploadedAccount, duplicate};

/// Namespace of everything derived here; never changes, or uploads would double.
const NAMESPACE: Uuid = Uuid::from_u128(0x6b6f_6e74_6f72_5e1d_9a3c_2f0d_7c41_b8e6);
/// Hexadecimal digits of a derived account id, as the documents show them for fetched accounts.
const ACCOUNT_ID_DIGITS: usize = 24;
/// Separates the parts of a name; no part contains it in practice, and none gains by it.
const SEPARATOR: &str = "\u{1f}";

/// How a bank tells an account from others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountKey {
    /// IBAN as sent.
    pub iban: String,
    /// Domestic bank code.
    pub bank_code: String,
    /// Domestic account number.
    pub account_number: String,
}

impl AccountKey {
    /// Whether the key tells the account from others.
    pub fn is_known(&self) -> bool {
        self.normalized().is_some()
    }

    /// The IBAN without blanks, else bank code and number without leading zeros.
    fn normalized(&self) -> Option<String> {
        let number = iban::normalize(&self.account_number);
        let number = number.trim_start_matches('0');
        let iban = iban::normalize(&self.iban);
        if !iban.is_empty() {
            return Some(iban);
        }
        let bank_code = iban::normalize(&self.bank_code);
        let known = !bank_code.is_empty() && !number.is_empty();
        known.then(|| format!("{bank_code}/{number}"))
    }
}

/// An account that is already stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAccount {
    /// Its identifier.
    pub id: AccountId,
    /// How its bank tells it from others.
    pub key: AccountKey,
}

/// Gives uploaded accounts their final identifiers: as sent; else that of the stored account with
/// the same IBAN, or bank code and number; else one that follows from them.
///
/// # Errors
/// Two uploaded accounts turn out to be the same one.
pub fn resolve(
    uploaded: Vec<UploadedAccount>,
    known: &[KnownAccount],
) -> Result<Vec<Account>, InvalidInput> {
    let mut stored = HashMap::with_capacity(known.len());
    for account in known {
        if let Some(key) = account.key.normalized() {
            stored.entry(key).or_insert(&account.id);
        }
    }
    let mut resolved: Vec<UploadedAccount> = Vec::with_capacity(uploaded.len());
    let mut places = HashMap::with_capacity(uploaded.len());
    for mut next in uploaded {
        if next.id == IdOrigin::Derived
            && let Some(id) = key_of(&next.account)
                .normalized()
                .and_then(|key| stored.get(&key).copied())
        {
            next.rename(id.clone())?;
        }
        let id = next.account.id.clone();
        if let Some(earlier) = places.insert(id, resolved.len()) {
            let fault = duplicate(&next, resolved.get(earlier));
            return Err(fault.under("accounts"));
        }
        resolved.push(next);
    }
    Ok(resolved.into_iter().map(|next| next.account).collect())
}

fn key_of(account: &Account) -> AccountKey {
    AccountKey {
        iban: account.iban.as_str().to_owned(),
        bank_code: account.bank_code.clone(),
        account_number: account.account_number.as_str().to_owned(),
    }
}

impl UploadedAccount {
    /// Gives the account another identifier, and its unnamed transactions those that follow.
    fn rename(&mut self, id: AccountId) -> Result<(), InvalidInput> {
        if self.account.id == id {
            return Ok(());
        }
        let mut namer = TransactionNamer::by_content(&id);
        for row in &self.unnamed {
            let Some(transaction) = self.account.transactions.get_mut(*row) else {
                continue;
            };
            let content = Content {
                day: transaction.booking_date,
                amount: transaction.amount,
                counterparty: &transaction.counterparty,
                purpose: transaction.remittance_info.as_str(),
            };
            transaction.id = namer
                .name(*row, &content)
                .map_err(|error| InvalidInput::new("transactionId", error.to_string()))?;
        }
        self.account.id = id;
        Ok(())
    }
}

/// The identifier that follows from an account's key.
///
/// # Errors
/// None in practice: what is derived is well formed.
pub fn account_id_of(key: &AccountKey) -> Result<AccountId, IdError> {
    account_id(&["account", &key.normalized().unwrap_or_default()])
}

/// The identifier of an account without a key: it follows from everything else, and among equals
/// from how many of them are taken already.
///
/// # Errors
/// None in practice: what is derived is well formed.
pub(crate) fn anonymous_account_id(
    others: &[&str],
    taken: impl Fn(&AccountId) -> bool,
) -> Result<AccountId, IdError> {
    let name = others.join(SEPARATOR);
    let mut occurrence = 0u32;
    loop {
        let id = account_id(&["anonymous", &name, &occurrence.to_string()])?;
        if !taken(&id) {
            return Ok(id);
        }
        occurrence = occurrence.saturating_add(1);
    }
}

fn account_id(parts: &[&str]) -> Result<AccountId, IdError> {
    let mut digits = derive(NAMESPACE, parts).simple().to_string();
    digits.truncate(ACCOUNT_ID_DIGITS);
    AccountId::try_new(format!("A{digits}"))
}

/// The identifier of the account at a position of a file.
///
/// # Errors
/// None in practice: what is derived is well formed.
pub(crate) fn account_id_at(position: usize) -> Result<AccountId, IdError> {
    AccountId::try_new(format!("A#{}", position.saturating_add(1)))
}

fn derive(namespace: Uuid, parts: &[&str]) -> Uuid {
    Uuid::new_v5(&namespace, parts.join(SEPARATOR).as_bytes())
}

/// What tells a transaction from others of its account.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// Booking day.
    pub day: NaiveDate,
    /// Signed amount.
    pub amount: Money,
    /// The other side.
    pub counterparty: &'a Counterparty,
    /// Remittance information.
    pub purpose: &'a str,
}

/// Names the transactions of one account.
#[derive(Debug)]
pub struct TransactionNamer(Naming);

#[derive(Debug)]
enum Naming {
    Content {
        namespace: Uuid,
        /// How often each content came.
        seen: HashMap<Uuid, u32>,
    },
    Position,
}

impl TransactionNamer {
    /// Names follow from the account and the content; equal contents are counted.
    pub fn by_content(account: &AccountId) -> Self {
        Self(Naming::Content {
            namespace: derive(NAMESPACE, &["transactions of", account.as_str()]),
            seen: HashMap::new(),
        })
    }

    /// Names follow from the position in the account.
    pub fn by_position() -> Self {
        Self(Naming::Position)
    }

    /// Names the transaction at a position.
    ///
    /// # Errors
    /// None in practice: what is derived is well formed.
    pub fn name(
        &mut self,
        position: usize,
        content: &Content<'_>,
    ) -> Result<TransactionId, IdError> {
        match &mut self.0 {
            Naming::Position => TransactionId::try_new(format!("T#{}", position.saturating_add(1))),
            Naming::Content { namespace, seen } => {
                let first = name_of(*namespace, content);
                let count = seen.entry(first).or_insert(0);
                let uuid = match *count {
                    0 => first,
                    again => derive(first, &[&again.to_string()]),
                };
                *count = count.saturating_add(1);
                TransactionId::try_new(format!("T{uuid}"))
            }
        }
    }
}

fn name_of(namespace: Uuid, content: &Content<'_>) -> Uuid {
    derive(
        namespace,
        &[
            &content.day.to_string(),
            &content.amount.minor.to_string(),
            content.amount.currency.as_str(),
            &iban::normalize(content.counterparty.iban.as_str()),
            content.counterparty.name.as_str(),
            content.purpose,
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::UploadLimits;
    use crate::upload::{self, Mode};

    const IBAN: &str = "DE89 3704 0044 0532 0130 00";

    fn read(accounts: &str) -> Vec<UploadedAccount> {
        let body = format!("{{\"accounts\":[{accounts}]}}");
        let limits = UploadLimits::REQUEST;
        upload::read(body.as_bytes(), &limits, Mode::Strict)
            .expect("reads")
            .accounts
    }

    fn ids(accounts: &[Account]) -> Vec<String> {
        accounts
            .iter()
            .map(|account| account.id.to_string())
            .collect()
    }

    fn transaction_ids(account: &Account) -> Vec<String> {
        account
            .transactions
            .iter()
            .map(|t| t.id.to_string())
            .collect()
    }

    fn known(id: &str, iban: &str, bank_code: &str, account_number: &str) -> KnownAccount {
        KnownAccount {
            id: AccountId::try_new(id).expect("id"),
            key: AccountKey {
                iban: iban.to_owned(),
                bank_code: bank_code.to_owned(),
                account_number: account_number.to_owned(),
            },
        }
    }

    fn with_bookings(fields: &str) -> String {
        let coffee = r#"{"amount":-2.5,"bookingDate":1705928941,"purpose":"Coffee"}"#;
        let rent = r#"{"amount":-900,"bookingDate":1705928941,"purpose":"Rent"}"#;
        format!("{{{fields},\"transactions\":[{coffee},{rent},{coffee}]}}")
    }

    #[test]
    fn the_same_upload_gets_the_same_ids_and_equal_bookings_stay_apart() {
        let body = with_bookings(&format!("\"iban\":\"{IBAN}\""));
        let first = resolve(read(&body), &[]).expect("resolves");
        let again = resolve(read(&body), &[]).expect("resolves");
        assert_eq!(first, again);
        let account = &first[0];
        assert_eq!(account.id.as_str().len(), 1 + ACCOUNT_ID_DIGITS);
        let ids = transaction_ids(account);
        assert!(ids[0] != ids[2] && ids[0] != ids[1], "{ids:?}");
        // Fixed for ever: other ids would double what is stored.
        assert_eq!(account.id.as_str(), FIXED_ACCOUNT);
        assert_eq!(ids[0], FIXED_TRANSACTION);
    }

    const FIXED_ACCOUNT: &str = "A6ef3dfbd825a5594a3a39177";
    const FIXED_TRANSACTION: &str = "T875c764e-3160-58de-ba84-726a4de4fdd4";

    #[test]
    fn stored_accounts_are_found_by_iban_then_by_number() {
        let stored = [
            known("by-number", "", "37040044", "0532013000"),
            known("by-iban", "de89370400440532013000", "", ""),
            known("later", IBAN, "", ""),
        ];
        for (fields, expected) in [
            (format!("\"iban\":\"{IBAN}\""), "by-iban"),
            (
                format!(
                    "\"iban\":\"{IBAN}\",\"bankCode\":\"37040044\",\"accountNumber\":\"532013000\""
                ),
                "by-iban",
            ),
            (
                "\"bankCode\":\"370 400 44\",\"accountNumber\":\"532013000\"".to_owned(),
                "by-number",
            ),
            (
                format!("\"accountId\":\"mine\",\"iban\":\"{IBAN}\""),
                "mine",
            ),
        ] {
            let accounts = resolve(read(&with_bookings(&fields)), &stored).expect("resolves");
            assert_eq!(ids(&accounts), [expected], "{fields}");
        }
    }

    #[test]
    fn bookings_follow_the_account_they_end_up_in() {
        let stored = [known("stored", IBAN, "", "")];
        let matched = with_bookings(&format!("\"iban\":\"{IBAN}\""));
        let named = with_bookings("\"accountId\":\"stored\"");
        let matched = resolve(read(&matched), &stored).expect("resolves");
        let named = resolve(read(&named), &stored).expect("resolves");
        assert_eq!(transaction_ids(&matched[0]), transaction_ids(&named[0]));
        let alone = resolve(read(&with_bookings("\"iban\":\"GB1\"")), &[]).expect("resolves");
        assert_ne!(transaction_ids(&matched[0]), transaction_ids(&alone[0]));
    }

    #[test]
    fn two_accounts_that_turn_out_to_be_one_are_refused() {
        let stored = [known("stored", IBAN, "", "")];
        let sent = format!("{{\"iban\":\"{IBAN}\"}},{{\"accountId\":\"stored\"}}");
        let fault = resolve(read(&sent), &stored).expect_err("the same");
        assert_eq!(
            fault.to_string(),
            "accounts[1].accountId: is the same as that of accounts[0]"
        );
        let apart = resolve(read(&sent), &[]).expect("two accounts");
        assert_eq!(apart.len(), 2);
    }

    #[test]
    fn accounts_without_a_key_are_told_apart_by_what_they_say() {
        let sent = r#"{"name":"Depot"},{"name":"Depot"},{"name":"Sparbuch"},
                      {"name":"Konto","bankCode":"37040044"}"#;
        let first = ids(&resolve(read(sent), &[]).expect("resolves"));
        let again = ids(&resolve(read(sent), &[]).expect("resolves"));
        assert_eq!(first, again);
        let mut unique = first.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), 4, "{first:?}");
    }
}
