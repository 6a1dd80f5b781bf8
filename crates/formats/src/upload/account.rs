//! One account from its wire shape.

use domain::{Account, AccountId, AccountType, Currency, Money, Overdraft};
use serde_json::value::RawValue;
use wire::json::{InvalidInput, Object};
use wire::upload::{AccountRequest, OverdraftRequest, Text};

use super::transactions::transactions;
use super::{IdOrigin, Mode, Reading, UploadedAccount, field, shown};
use crate::identity::{self, AccountKey};
use crate::limits::URL_BYTES_MAX;

/// Converts an account with its transactions.
///
/// # Errors
/// The first fault that cannot be tolerated, with its path relative to the account.
pub(super) fn account(
    reading: &mut Reading<'_>,
    position: usize,
    sent: AccountRequest<'_>,
) -> Result<UploadedAccount, InvalidInput> {
    let here = format!("[{position}]");
    // Without its currency no amount of the account has a meaning, so that nothing can be kept.
    let currency = field::currency("currency", sent.currency.as_ref(), Currency::EUR)?;
    let amounts = amounts(reading, &here, &sent, currency)?;
    let shown = shown(reading, &here, &sent)?;
    let account_type = reading.optional(&here, account_type(sent.account_type.as_ref()))?;
    let (codes, texts) = (reading.limits.code_bytes_max, reading.limits.text_bytes_max);
    let mut text = |name, sent, max| {
        let read = field::text(name, sent, max);
        reading.optional(&here, read).map(Option::unwrap_or_default)
    };
    let key = AccountKey {
        iban: text("iban", sent.iban, codes)?,
        bank_code: text("bankCode", sent.bank_code, codes)?,
        account_number: text("accountNumber", sent.account_number, codes)?,
    };
    let bic = text("bic", sent.bic, codes)?;
    let bank_name = text("bankName", sent.bank_name, texts)?;
    let name = text("name", sent.name, texts)?;
    let owner = text("owner", sent.owner, texts)?;
    let icon = text("icon", sent.icon, URL_BYTES_MAX)?;
    let others = [&*bank_name, &*name, &*owner, currency.as_str()];
    let (id, origin) = account_id(reading, position, sent.account_id, &key, &others)?;
    let account = Account {
        id,
        account_number: key.account_number.into(),
        iban: key.iban.into(),
        bic,
        bank_code: key.bank_code,
        bank_name,
        name: name.into(),
        owner: owner.into(),
        account_type: account_type.unwrap_or(AccountType::Unknown),
        currency,
        balance: amounts.balance,
        overdraft: amounts.overdraft,
        credit_line: amounts.credit_line,
        monthly_spending_limit: amounts.monthly_spending_limit,
        icon,
        securities_json: shown.securities.map(Into::into),
        standing_orders_json: shown.standing_orders.map(Into::into),
        transactions: Vec::new(),
    };
    let uploaded = UploadedAccount {
        account,
        position,
        id: origin,
        unnamed: Vec::new(),
        positions: Vec::new(),
    };
    transactions(reading, uploaded, sent.transactions)
}

struct Amounts {
    balance: Money,
    overdraft: Option<Overdraft>,
    credit_line: Option<Money>,
    monthly_spending_limit: Option<Money>,
}

fn amounts(
    reading: &mut Reading<'_>,
    here: &str,
    sent: &AccountRequest<'_>,
    currency: Currency,
) -> Result<Amounts, InvalidInput> {
    let mut money = |name, raw: Option<&RawValue>| {
        let read = raw.map(|raw| field::money(name, raw, currency)).transpose();
        reading.optional(here, read).map(Option::flatten)
    };
    let balance = money("balance", sent.balance)?;
    let credit_line = money("creditLine", sent.credit_line)?;
    let monthly_spending_limit = money("monthlySpendingLimit", sent.monthly_spending_limit)?;
    let overdraft =
        overdraft(sent.overdraft.as_ref(), currency).map_err(|error| error.under("overdraft"));
    Ok(Amounts {
        balance: balance.unwrap_or(Money::new(0, currency)),
        overdraft: reading.optional(here, overdraft)?.flatten(),
        credit_line,
        monthly_spending_limit,
    })
}

/// Reads an overdraft. The documents give the amount as a number or a boolean and the rest as a
/// boolean or a text (C-25); a boolean amount says whether there is one.
fn overdraft(
    sent: Option<&Object<OverdraftRequest<'_>>>,
    currency: Currency,
) -> Result<Option<Overdraft>, InvalidInput> {
    let Some(Object(sent)) = sent else {
        return Ok(None);
    };
    let said = sent.amount.and_then(|raw| boolean(raw.get()));
    let amount = match sent.amount {
        Some(raw) if said.is_none() => Some(field::money("amount", raw, currency)?),
        Some(_) | None => None,
    };
    let available = match sent.available {
        Some(raw) => Some(
            boolean(raw.get())
                .ok_or_else(|| InvalidInput::new("available", "must be true or false"))?,
        ),
        None => said,
    };
    Ok(Some(Overdraft {
        amount: amount.map(|money| Money::new(money.minor.saturating_abs(), currency)),
        available,
    }))
}

fn boolean(json: &str) -> Option<bool> {
    match json.trim_matches('"').to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

struct ShownJson {
    securities: Option<String>,
    standing_orders: Option<String>,
}

fn shown(
    reading: &mut Reading<'_>,
    here: &str,
    sent: &AccountRequest<'_>,
) -> Result<ShownJson, InvalidInput> {
    let securities = shown::securities(sent.securities, reading.limits);
    let standing_orders = shown::standing_orders(sent.standing_orders, reading.limits);
    Ok(ShownJson {
        securities: reading.optional(here, securities)?.flatten(),
        standing_orders: reading.optional(here, standing_orders)?.flatten(),
    })
}

/// Reads the kind of account; a missing one is a current account.
///
/// # Errors
/// A word that is none of the documented ones.
pub(crate) fn account_type(sent: Option<&Text<'_>>) -> Result<AccountType, InvalidInput> {
    match sent.map(Text::as_str) {
        None | Some("") => Ok(AccountType::Giro),
        Some(word) => word.parse().map_err(|error: domain::user::UnknownWord| {
            InvalidInput::new("type", error.to_string())
        }),
    }
}

/// The identifier as sent, or one that follows from what the account says about itself.
fn account_id(
    reading: &Reading<'_>,
    position: usize,
    sent: Option<Text<'_>>,
    key: &AccountKey,
    others: &[&str],
) -> Result<(AccountId, IdOrigin), InvalidInput> {
    let fault = |error: domain::IdError| InvalidInput::new("accountId", error.to_string());
    if let Some(Text(id)) = sent.filter(|id| !id.as_str().is_empty()) {
        let id = AccountId::try_new(id).map_err(fault)?;
        return Ok((id, IdOrigin::Sent));
    }
    let id = match reading.mode {
        Mode::Lenient => identity::account_id_at(position),
        Mode::Strict if key.is_known() => identity::account_id_of(key),
        Mode::Strict => identity::anonymous_account_id(others, |id| reading.has(id)),
    };
    Ok((id.map_err(fault)?, IdOrigin::Derived))
}
