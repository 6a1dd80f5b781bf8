//! Examples in rule files: `counterparty | purpose | amount | key=value | …`.

use domain::{AccountType, Counterparty, Currency, Money, Sensitive, Transaction, TransactionId};

use crate::view::AccountContext;

/// A transaction that a rule must or must not decide.
#[derive(Debug, Clone)]
pub struct Example {
    /// As written.
    pub text: String,
    /// The transaction.
    pub transaction: Transaction,
    /// What is known of its account.
    pub context: AccountContext,
}

/// What an example says about its account.
#[derive(Default)]
struct AccountSide {
    account_type: AccountType,
    owner: String,
    own_iban: String,
}

impl Example {
    /// Reads an example. Keys: `booking`, `gvc`, `mcc`, `purpose_code`, `creditor_id`, `iban`,
    /// `mandate`, `ultimate_creditor`, `ultimate_debtor`, and of the account `account_type`,
    /// `owner`, `own_iban`.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut cells = text.split('|').map(str::trim);
        let (Some(name), Some(purpose), Some(amount)) = (cells.next(), cells.next(), cells.next())
        else {
            return Err("it must have the form: counterparty | purpose | amount");
        };
        let mut transaction = blank(amount)?;
        transaction.counterparty.name = Sensitive::from(name);
        transaction.remittance_info = Sensitive::from(purpose);
        let mut account = AccountSide::default();
        for cell in cells {
            let (key, value) = cell
                .split_once('=')
                .ok_or("a cell after the third must be key=value")?;
            set(&mut transaction, &mut account, key.trim(), value.trim())?;
        }
        let own = std::iter::once(account.own_iban.as_str());
        Ok(Self {
            text: text.to_owned(),
            context: AccountContext::from_parts(account.account_type, &account.owner, own),
            transaction,
        })
    }
}

fn set(
    transaction: &mut Transaction,
    account: &mut AccountSide,
    key: &str,
    value: &str,
) -> Result<(), &'static str> {
    match key {
        "booking" => value.clone_into(&mut transaction.booking_text),
        "gvc" => {
            let code = value.parse().map_err(|_| "gvc must be a number")?;
            transaction.transaction_code = Some(code);
        }
        "mcc" => value.clone_into(&mut transaction.merchant_category_code),
        "purpose_code" => value.clone_into(&mut transaction.purpose_code),
        "creditor_id" => value.clone_into(&mut transaction.counterparty.creditor_id),
        "iban" => transaction.counterparty.iban = Sensitive::from(value),
        "mandate" => transaction.mandate_id = Sensitive::from(value),
        "ultimate_creditor" => transaction.ultimate_creditor = Sensitive::from(value),
        "ultimate_debtor" => transaction.ultimate_debtor = Sensitive::from(value),
        "account_type" => {
            account.account_type = value.parse().map_err(|_| "no such account_type")?;
        }
        "owner" => value.clone_into(&mut account.owner),
        "own_iban" => value.clone_into(&mut account.own_iban),
        _ => return Err("a key is not known"),
    }
    Ok(())
}

fn blank(amount: &str) -> Result<Transaction, &'static str> {
    let signed = amount
        .strip_prefix('+')
        .or_else(|| amount.strip_prefix('-').map(|_| amount));
    let amount = signed.ok_or("the amount must start with + or -")?;
    let id = TransactionId::try_new("example").map_err(|_| "the example has no id")?;
    Ok(Transaction {
        id,
        amount: Money::parse(amount, Currency::EUR).map_err(|_| "the amount is no euro amount")?,
        booking_date: chrono::NaiveDate::default(),
        booking_instant: 0,
        value_date: None,
        value_instant: None,
        booking_text: String::new(),
        remittance_info: Sensitive::default(),
        counterparty: Counterparty::default(),
        ultimate_creditor: Sensitive::default(),
        ultimate_debtor: Sensitive::default(),
        end_to_end_id: Sensitive::default(),
        mandate_id: Sensitive::default(),
        merchant_category_code: String::new(),
        purpose_code: String::new(),
        transaction_code: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_becomes_a_transaction() {
        let example =
            Example::parse("ACME GMBH | GEHALT 03/2026 | +2431.20 | gvc=153 | purpose_code=SALA")
                .expect("readable");
        let transaction = &example.transaction;
        assert_eq!(transaction.amount.minor, 243_120);
        assert_eq!(transaction.counterparty.name.as_str(), "ACME GMBH");
        assert_eq!(transaction.remittance_info.as_str(), "GEHALT 03/2026");
        assert_eq!(transaction.transaction_code, Some(153));
        assert_eq!(transaction.purpose_code, "SALA");
    }

    #[test]
    fn unclear_examples_are_refused() {
        for text in [
            "ACME",
            "ACME | x | 12.00",
            "ACME | x | -1.234",
            "ACME | x | -1.00 | gvc",
            "ACME | x | -1.00 | gvc=abc",
            "ACME | x | -1.00 | colour=red",
            "ACME | x | -1.00 | account_type=BANK",
        ] {
            assert!(Example::parse(text).is_err(), "{text}");
        }
    }
}
