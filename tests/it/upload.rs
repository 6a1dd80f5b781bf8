//! Uploads with invented people, made up to any size.

use serde_json::{Value, json};

/// 2025-01-01T00:00:00Z.
const FIRST_DAY: i64 = 1_735_689_600;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// An upload of one account whose rows repeat a small household in a fixed pattern.
pub(crate) fn household(iban: &str, owner: &str, transactions: usize) -> Value {
    let rows: Vec<Value> = (0..transactions).map(row).collect();
    json!({ "accounts": [{
        "accountId": "giro", "iban": iban, "owner": owner, "bankName": "Musterbank",
        "type": "GIRO", "balance": 1234.56, "transactions": rows,
    }]})
}

/// One booking; every number gives another id, day and amount.
pub(crate) fn row(number: usize) -> Value {
    let (amount, name, purpose, text, code) = match number % 5 {
        0 => (
            "2431.20",
            "Beispiel Maschinenbau GmbH",
            "LOHN/GEHALT 03/2025",
            "GUTSCHRIFT",
            153,
        ),
        1 => (
            "-812.50",
            "Hausverwaltung Muster",
            "Miete Wohnung 12",
            "DAUERAUFTRAG",
            117,
        ),
        2 => (
            "-43.17",
            "REWE SAGT DANKE",
            "REWE MARKT BERLIN",
            "KARTENZAHLUNG",
            106,
        ),
        3 => (
            "-18.36",
            "Rundfunk ARD, ZDF, DRadio",
            "Rundfunkbeitrag",
            "LASTSCHRIFT",
            105,
        ),
        _ => (
            "-25.00",
            "Unbekannte Gesellschaft",
            "Rechnung 4711",
            "UEBERWEISUNG",
            116,
        ),
    };
    let day = FIRST_DAY + DAY * i64::try_from(number % 365).expect("small");
    let amount: Value = serde_json::from_str(amount).expect("a number");
    json!({
        "transactionId": format!("t{number}"), "amount": amount, "bookingDate": day,
        "valueDate": day, "purpose": purpose, "bookingText": text, "transactionCode": code,
        "paymentPartner": { "name": name, "iban": "DE89370400440532013000" },
    })
}
