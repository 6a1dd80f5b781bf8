//! Accounts that bookings speak of.

use analysis::accounts::{self, AccountEvidence, DetectedAccount};
use domain::{Account, AccountType, Money, Transaction};
use proptest::prelude::*;

use crate::ledger::{account, booking, day, detect as links, events};

const OWNER: &str = "Verena Häberle";
const GIRO: &str = "DE95600501019608731143";

fn detect(accounts: &[Account]) -> Vec<DetectedAccount> {
    accounts::detect(accounts, &events(accounts), &links(accounts))
}

fn giro(transactions: Vec<Transaction>) -> Vec<Account> {
    let mut giro = account("a-giro", AccountType::Giro, OWNER, GIRO);
    giro.transactions = transactions;
    vec![giro]
}

fn to(iban: &str, mut transaction: Transaction) -> Transaction {
    transaction.counterparty.iban = iban.into();
    transaction
}

fn told(detected: &[DetectedAccount]) -> Vec<String> {
    let found = detected
        .iter()
        .filter(|account| account.account_index.is_none());
    found
        .map(|account| {
            let count = account.transactions.len();
            format!(
                "{} {} {count}",
                account.kind.as_str(),
                account.name.as_str()
            )
        })
        .collect()
}

#[test]
fn connected_accounts_come_first_with_their_figures() {
    let accounts = giro(vec![
        booking("1", "2025-03-01", 200_000, "ACME GmbH", "Lohn"),
        booking("2", "2025-03-02", -1_001, "Kiosk", ""),
        booking("3", "2025-03-05", -2_000, "Kiosk", ""),
    ]);
    let detected = detect(&accounts);
    assert_eq!(detected.len(), 1);
    let own = &detected[0];
    assert_eq!(own.account_index, Some(0));
    assert_eq!(own.evidence, [AccountEvidence::Connected]);
    assert_eq!(own.period, Some((day("2025-03-01"), day("2025-03-05"))));
    let euros = |minor| Money::new(minor, "EUR".parse().expect("a code"));
    let all = own.statistics.all.expect("bookings");
    assert_eq!((all.median, all.average), (euros(-1_001), euros(65_666)));
    let spending = own.statistics.spending.expect("bookings");
    assert_eq!(
        (spending.median, spending.average),
        (euros(-1_501), euros(-1_501))
    );
    assert_eq!(
        own.statistics.earning.expect("bookings").median,
        euros(200_000)
    );
    assert!(!own.is_card());
}

#[test]
fn a_card_is_known_by_its_settlement() {
    let mut row = booking(
        "1",
        "2025-03-01",
        -18_015,
        "Musterbank AG Kartenservice",
        "KREDITKARTENABRECHNUNG VISA BUSINESS 7693",
    );
    row.counterparty.creditor_id = "DE3810400000020144".to_owned();
    let detected = detect(&giro(vec![row]));
    let card = &detected[1];
    assert!(card.is_card());
    assert_eq!(card.account_index, None);
    assert_eq!(card.creditor_id, "DE3810400000020144");
    let spending = card.statistics.spending.expect("a settlement");
    assert_eq!(
        (spending.median.minor, spending.average.minor),
        (-18_015, -18_015)
    );
    assert_eq!(
        card.evidence,
        [AccountEvidence::Wording, AccountEvidence::Bookings(1)]
    );
}

#[test]
fn accounts_elsewhere_bear_the_holder_s_name() {
    let accounts = giro(vec![
        to(
            "DE08501900004805152230",
            booking(
                "1",
                "2025-03-01",
                -10_000,
                "Verena Haeberle",
                "Sparrate Sparbuch",
            ),
        ),
        to(
            "DE08501900004805152230",
            booking("2", "2025-04-01", -10_000, "Verena Häberle", ""),
        ),
        to(
            "LT463250077797514812",
            booking(
                "3",
                "2025-03-05",
                -25_000,
                "Verena Häberle Revolut",
                "Top-up",
            ),
        ),
        to(
            "DE02100100100006820101",
            booking("4", "2025-03-06", -5_000, "Erwin Beispiel", "Geschenk"),
        ),
    ]);
    let detected = detect(&accounts);
    assert_eq!(
        told(&detected),
        ["GIRO Verena Häberle Revolut 1", "SPARBUCH Verena Häberle 2"]
    );
    let savings = &detected[2];
    assert_eq!(savings.bank_code, "50190000");
    assert_eq!(savings.owner.as_str(), "Verena Häberle");
    assert!(savings.evidence.contains(&AccountEvidence::HolderName));
}

#[test]
fn loans_depots_and_building_societies_show_by_repetition() {
    let monthly = |id: &str, minor: i64, name: &str, text: &str, mandate: &str| {
        ["2025-01-15", "2025-02-15", "2025-03-15"].map(|date| {
            let mut row = booking(&format!("{id}-{date}"), date, minor, name, text);
            row.mandate_id = mandate.into();
            row
        })
    };
    let mut rows = Vec::new();
    rows.extend(monthly(
        "car",
        -19_900,
        "Autobank AG",
        "Darlehen 4711 Rate",
        "M-1",
    ));
    rows.extend(monthly(
        "house",
        -90_000,
        "Autobank AG",
        "Darlehen 4712 Rate",
        "M-2",
    ));
    rows.extend(monthly(
        "fund",
        -5_000,
        "DWS Investment",
        "Fondssparplan Depot 333953240",
        "",
    ));
    rows.extend(monthly(
        "bau",
        -4_000,
        "Schwäbisch Hall",
        "Bausparvertrag",
        "",
    ));
    rows.push(booking(
        "once",
        "2025-03-15",
        -100_000,
        "Bank",
        "Darlehen an Erwin",
    ));
    rows.push(booking("fee", "2025-03-15", -1_000, "Bank", "Depotentgelt"));
    assert_eq!(
        told(&detect(&giro(rows))),
        [
            "BAUSPAREN Schwäbisch Hall 3",
            "DEPOT DWS Investment 3",
            "KREDITDARLEHEN Autobank AG 3",
            "KREDITDARLEHEN Autobank AG 3",
        ]
    );
}

#[test]
fn connected_accounts_are_not_found_again() {
    let savings = "DE44600501014229985837";
    let mut accounts = giro(vec![
        to(
            savings,
            booking("1", "2025-03-01", -35_000, "Verena Haeberle", "Sparen"),
        ),
        // Its other side lies before the upload.
        booking("2", "2024-01-01", -35_000, "Verena Haeberle", ""),
        booking(
            "3",
            "2025-04-02",
            -7_000,
            "Musterbank",
            "Kreditkartenabrechnung",
        ),
    ]);
    accounts.push(account("b-savings", AccountType::Tagesgeld, OWNER, savings));
    let mut card = account("c-card", AccountType::KreditKarte, OWNER, "");
    card.transactions
        .push(booking("dinner", "2025-03-10", -7_000, "Ristorante", ""));
    accounts.push(card);
    assert_eq!(told(&detect(&accounts)), [""; 0]);
}

proptest! {
    #[test]
    fn the_order_of_input_changes_nothing(turns in 0..12_usize, kinds in prop::collection::vec(0..5_usize, 12)) {
        let rows: Vec<Transaction> = kinds
            .iter()
            .enumerate()
            .map(|(index, kind)| {
                let (name, text, iban) = [
                    ("Musterbank", "Kreditkartenabrechnung", ""),
                    ("Verena Haeberle", "Sparen", "DE08501900004805152230"),
                    ("Autobank AG", "Darlehen Rate", ""),
                    ("Kiosk", "", ""),
                    ("VERENA HAEBERLE", "", "DE08501900004805152230"),
                ][*kind];
                let date = format!("2025-03-{:02}", index % 7 + 1);
                to(iban, booking(&format!("t{index:02}"), &date, -1_000, name, text))
            })
            .collect();
        let before = detect(&giro(rows.clone()));
        let mut turned = rows;
        turned.rotate_left(turns);
        let after = detect(&giro(turned));
        let keys = |detected: &[DetectedAccount]| -> Vec<_> {
            detected.iter().map(|a| (a.key.clone(), a.kind, a.statistics, a.period, a.transactions.len())).collect()
        };
        prop_assert_eq!(keys(&before), keys(&after));
        prop_assert_eq!(told(&before), told(&after));
    }
}
