//! Reads accounts and transactions from the body of an upload.

mod account;
mod field;
mod list;
mod places;
mod shown;
mod transaction;
mod transactions;

use std::collections::HashMap;

use domain::{Account, AccountId, Finding, FindingCode};
use serde_json::value::RawValue;
use wire::json::{InputFault, InvalidInput, Object};
use wire::upload::{AccountRequest, UploadRequest};

pub(crate) use account::account_type;
pub(crate) use field::text;
pub(crate) use transaction::transaction;

pub use places::Places;

use crate::limits::{FINDINGS_MAX, NESTING_MAX, UploadLimits};

/// What happens to bad data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The first fault is an error; identifiers that are missing follow from the content, so that
    /// a repeated upload finds them again. For requests.
    Strict,
    /// Bad data is left out and reported; identifiers that are missing follow from the position.
    /// For files.
    Lenient,
}

/// What was read.
#[derive(Debug)]
pub struct Upload {
    /// The accounts, in the order in which they were sent.
    pub accounts: Vec<UploadedAccount>,
    /// Bad data; none when strict.
    pub findings: Vec<Finding>,
}

impl Upload {
    /// Where the accounts and transactions stood in the input.
    pub fn places(&self) -> Places {
        Places::new(&self.accounts)
    }

    /// The accounts as they are, with the identifiers that reading gave them.
    pub fn into_accounts(self) -> (Vec<Account>, Vec<Finding>) {
        let accounts = self.accounts.into_iter().map(|uploaded| uploaded.account);
        (accounts.collect(), self.findings)
    }
}

/// An account, and which identifiers its sender left to us.
#[derive(Debug)]
pub struct UploadedAccount {
    pub(crate) account: Account,
    pub(crate) position: usize,
    pub(crate) id: IdOrigin,
    /// Transactions without an identifier, by their place in `account.transactions`.
    pub(crate) unnamed: Vec<usize>,
    /// Where the transactions stood in the input; empty when none was left out.
    pub(crate) positions: Vec<usize>,
}

/// Who chose an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdOrigin {
    Sent,
    Derived,
}

impl UploadedAccount {
    /// The account, with the identifiers that reading gave it.
    pub fn account(&self) -> &Account {
        &self.account
    }
}

/// Reads the body of an upload: `{"accounts": [...]}`.
///
/// # Errors
/// When strict, the first fault with the path of its field; when lenient, only what leaves nothing
/// to read: no JSON, no list of accounts, or more than the limits allow.
pub fn read(body: &[u8], limits: &UploadLimits, mode: Mode) -> Result<Upload, InvalidInput> {
    check_nesting(body)?;
    let Object(request) = wire::json::read::<Object<UploadRequest<'_>>>(body)?;
    read_accounts(request.accounts, limits, mode)
}

/// Reads the list of accounts of an upload that is already open.
pub(crate) fn read_accounts(
    accounts: Option<&RawValue>,
    limits: &UploadLimits,
    mode: Mode,
) -> Result<Upload, InvalidInput> {
    let raw = accounts.ok_or_else(|| InvalidInput::missing("accounts"))?;
    let mut reading = Reading::new(limits, mode);
    list::each(raw, |position, item| reading.take(position, item))
        .map_err(|error| error.under("accounts"))?;
    if mode == Mode::Strict && reading.accounts.is_empty() {
        return Err(InvalidInput::new("accounts", "must not be empty"));
    }
    Ok(Upload {
        accounts: reading.accounts,
        findings: reading.findings,
    })
}

/// Refuses what nests so deeply that only an attack or a mistake can have written it.
///
/// # Errors
/// The path at which it becomes too deep.
pub fn check_nesting(body: &[u8]) -> Result<(), InvalidInput> {
    if nesting(body) <= NESTING_MAX {
        return Ok(());
    }
    // The walk stops at the same depth and knows the path; it is slower and runs only now.
    wire::json::check_nesting(body)?;
    Err(InvalidInput::new("", "is nested too deeply"))
}

/// The deepest nesting of brackets outside of strings.
fn nesting(body: &[u8]) -> usize {
    let mut depth = 0usize;
    let mut deepest = 0;
    let mut at = 0;
    while let Some(byte) = body.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => at += string_length(body.get(at..).unwrap_or_default()),
            _ => {}
        }
    }
    deepest
}

/// How many bytes a string has up to and including its closing quote.
fn string_length(rest: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = memchr::memchr2(b'"', b'\\', rest.get(at..).unwrap_or_default()) {
        at += found + 1;
        if rest.get(at - 1) == Some(&b'"') {
            return at;
        }
        at += 1;
    }
    rest.len()
}

/// The state of reading one upload.
pub(crate) struct Reading<'l> {
    limits: &'l UploadLimits,
    mode: Mode,
    accounts: Vec<UploadedAccount>,
    places: HashMap<AccountId, usize>,
    transactions: usize,
    findings: Vec<Finding>,
}

impl<'l> Reading<'l> {
    fn new(limits: &'l UploadLimits, mode: Mode) -> Self {
        Self {
            limits,
            mode,
            accounts: Vec::new(),
            places: HashMap::new(),
            transactions: 0,
            findings: Vec::new(),
        }
    }

    /// Takes the next account of the list, or says why it cannot.
    fn take(
        &mut self,
        position: usize,
        item: Result<AccountRequest<'_>, InvalidInput>,
    ) -> Result<(), InvalidInput> {
        if position >= self.limits.accounts_max {
            return Err(InvalidInput::too_many(
                "",
                "accounts",
                self.limits.accounts_max,
            ));
        }
        let read = item.and_then(|request| account::account(self, position, request));
        let read = read.map_err(|error| error.under(&format!("[{position}]")));
        match self.optional("", read)? {
            Some(account) => self.keep(account),
            None => Ok(()),
        }
    }

    /// Counts a transaction of any account.
    fn count_transaction(&mut self) -> Result<(), InvalidInput> {
        self.transactions += 1;
        let max = self.limits.transactions_max;
        if self.transactions > max {
            return Err(InvalidInput::too_many(
                "",
                "transactions in one upload",
                max,
            ));
        }
        Ok(())
    }

    /// Whether an account with this identifier was sent.
    fn has(&self, id: &AccountId) -> bool {
        self.places.contains_key(id)
    }

    /// Keeps an account unless another one with its identifier was sent.
    fn keep(&mut self, uploaded: UploadedAccount) -> Result<(), InvalidInput> {
        let Some(place) = self.places.get(&uploaded.account.id).copied() else {
            self.places
                .insert(uploaded.account.id.clone(), self.accounts.len());
            self.accounts.push(uploaded);
            return Ok(());
        };
        let fault = duplicate(&uploaded, self.accounts.get(place));
        self.report("", fault, FindingCode::DuplicateId)?;
        if let Some(slot) = self.accounts.get_mut(place) {
            *slot = uploaded;
        }
        Ok(())
    }

    /// What could not be read: an error when strict, else a finding under `here` and nothing.
    fn optional<T>(
        &mut self,
        here: &str,
        read: Result<T, InvalidInput>,
    ) -> Result<Option<T>, InvalidInput> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                let code = match error.fault {
                    InputFault::Missing => FindingCode::Missing,
                    InputFault::Content => FindingCode::Invalid,
                    InputFault::TooMany => return Err(error),
                };
                self.report(here, error, code)?;
                Ok(None)
            }
        }
    }

    /// An error when strict, else a finding under `here`.
    fn report(
        &mut self,
        here: &str,
        error: InvalidInput,
        code: FindingCode,
    ) -> Result<(), InvalidInput> {
        if self.mode == Mode::Strict {
            return Err(error);
        }
        if self.findings.len() < FINDINGS_MAX {
            let error = error.under(here).under("accounts");
            self.findings
                .push(Finding::new(error.path, code, error.message));
        }
        Ok(())
    }
}

/// Says that an account is the same as an earlier one.
pub(crate) fn duplicate(
    later: &UploadedAccount,
    earlier: Option<&UploadedAccount>,
) -> InvalidInput {
    let earlier = earlier.map_or(0, |account| account.position);
    let position = later.position;
    match later.id {
        IdOrigin::Sent => InvalidInput::new(
            format!("[{position}].accountId"),
            format!("is the same as that of accounts[{earlier}]"),
        ),
        IdOrigin::Derived => InvalidInput::new(
            format!("[{position}]"),
            format!("is the same account as accounts[{earlier}]"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_counts_brackets_outside_of_strings() {
        for (body, depth) in [
            ("", 0),
            ("1", 0),
            ("[]", 1),
            (r#"{"a":[{"b":1}],"c":[]}"#, 3),
            (r#"{"[[[[":"]]\"[[[\\"}"#, 1),
            (r#"["unclosed [["#, 1),
            (r#"["unclosed \"#, 1),
            ("]]][[", 2),
        ] {
            assert_eq!(nesting(body.as_bytes()), depth, "{body}");
        }
    }
}
