//! Users made up for the tests, written as lines of the rules' example format.

use domain::{
    Account, AccountId, AccountType, Currency, Money, Sensitive, Transaction, TransactionId,
};
use rules::example::Example;

/// An account with the transactions of the lines.
pub(crate) fn account(number: usize, owner: &str, iban: &str, lines: &str) -> Account {
    let transactions = lines
        .lines()
        .filter(|line| !line.trim().is_empty())
        .enumerate()
        .map(|(index, line)| transaction(index, line))
        .collect();
    Account {
        id: AccountId::try_new(format!("account-{number}")).expect("an id"),
        account_number: Sensitive::default(),
        iban: iban.into(),
        bic: String::new(),
        bank_code: String::new(),
        bank_name: String::new(),
        name: Sensitive::default(),
        owner: owner.into(),
        account_type: AccountType::Giro,
        currency: Currency::EUR,
        balance: Money::new(0, Currency::EUR),
        overdraft: None,
        credit_line: None,
        monthly_spending_limit: None,
        icon: String::new(),
        securities_json: None,
        standing_orders_json: None,
        transactions,
    }
}

fn transaction(index: usize, line: &str) -> Transaction {
    let example = Example::parse(line).expect(line);
    Transaction {
        id: TransactionId::try_new(format!("transaction-{index}")).expect("an id"),
        ..example.transaction
    }
}

/// An employee with a current account and savings.
pub(crate) fn employee() -> Vec<Account> {
    let giro = account(
        0,
        "Jana Okafor",
        "DE89370400440532013000",
        include_str!("employee.txt"),
    );
    let savings = " | Zinsgutschrift 1. Quartal | +3.11 | booking=ABSCHLUSS
        Jana Okafor | Sparen | +200.00 | iban=DE89370400440532013000";
    vec![
        giro,
        account(1, "Jana Okafor", "DE02120300000000202051", savings),
    ]
}
