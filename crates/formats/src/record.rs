//! Reads single transactions, for `kontor categorize`.

use domain::{Account, AccountId, Currency, IdError, Money};
use wire::json::{InvalidInput, Object};
use wire::upload::{RecordAccount, TransactionRecord, TransactionRequest};

use crate::identity::TransactionNamer;
use crate::limits::UploadLimits;
use crate::upload;

/// A transaction that stands for itself.
#[derive(Debug)]
pub struct Record {
    /// Identifier, when the record gives one.
    pub id: Option<String>,
    /// An account with this one transaction.
    pub account: Account,
}

/// Reads a record: a transaction in upload shape, or `{"id", "transaction", "account"?}`; other
/// keys are ignored.
///
/// # Errors
/// The first fault, with its path.
pub fn read(line: &[u8], limits: &UploadLimits) -> Result<Record, InvalidInput> {
    upload::check_nesting(line)?;
    let Object(record) = wire::json::read::<Object<TransactionRecord<'_>>>(line)?;
    let id = upload::text("id", record.id, limits.text_bytes_max)?;
    let id = Some(id).filter(|id| !id.is_empty());
    let mut account = account(record.account, limits).map_err(|error| error.under("account"))?;
    let id = if let Some(raw) = record.transaction {
        let sent = read_transaction(raw.get().as_bytes(), &mut account, limits);
        sent.map_err(|error| error.under("transaction"))?;
        id
    } else {
        read_transaction(line, &mut account, limits)?.or(id)
    };
    Ok(Record { id, account })
}

/// Adds the transaction to the account; gives back its identifier when it was sent.
fn read_transaction(
    json: &[u8],
    account: &mut Account,
    limits: &UploadLimits,
) -> Result<Option<String>, InvalidInput> {
    let Object(sent) = wire::json::read::<Object<TransactionRequest<'_>>>(json)?;
    let id = sent
        .transaction_id
        .as_ref()
        .map(|id| id.as_str().to_owned());
    let mut namer = TransactionNamer::by_position();
    let transaction = upload::transaction(sent, 0, account.currency, limits, &mut namer)?;
    account.transactions.push(transaction);
    Ok(id.filter(|id| !id.is_empty()))
}

fn account(
    sent: Option<Object<RecordAccount<'_>>>,
    limits: &UploadLimits,
) -> Result<Account, InvalidInput> {
    let sent = sent.map(|Object(sent)| sent).unwrap_or_default();
    let id = AccountId::try_new("A#1")
        .map_err(|error: IdError| InvalidInput::new("accountId", error.to_string()))?;
    Ok(Account {
        id,
        account_number: String::new().into(),
        iban: upload::text("iban", sent.iban, limits.code_bytes_max)?.into(),
        bic: String::new(),
        bank_code: String::new(),
        bank_name: String::new(),
        name: String::new().into(),
        owner: upload::text("owner", sent.owner, limits.text_bytes_max)?.into(),
        account_type: upload::account_type(sent.account_type.as_ref())?,
        currency: Currency::EUR,
        balance: Money::new(0, Currency::EUR),
        overdraft: None,
        credit_line: None,
        monthly_spending_limit: None,
        icon: String::new(),
        securities_json: None,
        standing_orders_json: None,
        transactions: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, id: Option<&str>, minor: i64) {
        let record = read(line.as_bytes(), &UploadLimits::FILE).expect(line);
        assert_eq!(record.id.as_deref(), id, "{line}");
        let amounts: Vec<i64> = record
            .account
            .transactions
            .iter()
            .map(|t| t.amount.minor)
            .collect();
        assert_eq!(amounts, [minor], "{line}");
    }

    #[test]
    fn both_shapes_are_read() {
        check(
            r#"{"transactionId":"T1","amount":-1.5,"bookingDate":0}"#,
            Some("T1"),
            -150,
        );
        check(r#"{"amount":2,"bookingDate":0}"#, None, 200);
        check(
            r#"{"id":"R1","transaction":{"transactionId":"T1","amount":3,"bookingDate":0},
                "account":{"owner":"A","iban":"DE1","type":"GIRO"},"expected":"x"}"#,
            Some("R1"),
            300,
        );
    }

    #[test]
    fn faults_have_a_path() {
        for (line, expected) in [
            ("7", "must be an object"),
            ("{}", "amount: is required"),
            (
                r#"{"id":"R1","transaction":{"amount":1}}"#,
                "transaction.bookingDate: is required",
            ),
            (
                r#"{"transaction":{"amount":"1"},"account":{"type":"X"}}"#,
                "account.type: must be one of: BAUSPAREN, DEPOT, FESTGELD, FONDSDEPOT, GIRO, \
                 KREDIT_KARTE, KREDIT_KONTO, KREDITDARLEHEN, SPARBUCH, TAGESGELD, UNKNOWN, OTHER",
            ),
        ] {
            let fault = read(line.as_bytes(), &UploadLimits::FILE).expect_err(line);
            assert_eq!(fault.to_string(), expected);
        }
    }
}
