//! What holds for every input.

use domain::{Account, Currency, Money};
use formats::corpus::Lines;
use formats::{Mode, UploadLimits, corpus, identity, record, upload};
use proptest::prelude::*;
use serde_json::{Value, json};
use wire::banking::{AccountsResponse, Transactions};

fn transactions() -> impl Strategy<Value = Vec<Value>> {
    let transaction = (
        -10_000_000_000i64..10_000_000_000,
        -2_000_000_000i64..7_000_000_000,
        proptest::option::of(-2_000_000_000i64..7_000_000_000),
        "[a-zA-Z0-9äöüß +/.]{0,20}",
        proptest::option::of(0u16..=999),
    );
    let built = transaction.prop_map(|(minor, booked, valued, purpose, code)| {
        let amount = Money::new(minor, Currency::EUR).to_decimal_text();
        let amount: Value = serde_json::from_str(&amount).expect("number");
        json!({"amount": amount, "bookingDate": booked, "valueDate": valued,
               "purpose": purpose, "transactionCode": code})
    });
    proptest::collection::vec(built, 0..12)
}

fn stored(body: &Value) -> Vec<Account> {
    let body = serde_json::to_vec(body).expect("JSON");
    let upload = upload::read(&body, &UploadLimits::REQUEST, Mode::Strict).expect("reads");
    identity::resolve(upload.accounts, &[]).expect("resolves")
}

proptest! {
    #[test]
    fn amounts_and_instants_come_back_as_sent(transactions in transactions()) {
        let sent = json!({"accounts": [{"iban": "DE1", "transactions": transactions}]});
        let accounts = stored(&sent);
        let answer = AccountsResponse::new(&accounts, Transactions::Included);
        let answer = serde_json::to_value(answer).expect("serialises");
        let answered = answer["accounts"][0]["transactions"].as_array().expect("list");
        prop_assert_eq!(answered.len(), transactions.len());
        for (sent, answered) in transactions.iter().zip(answered) {
            for key in ["amount", "bookingDate", "valueDate", "purpose", "transactionCode"] {
                let answered = answered.get(key).unwrap_or(&Value::Null);
                prop_assert_eq!(answered.to_string(), sent[key].to_string(), "{}", key);
            }
        }
    }

    #[test]
    fn a_repeated_upload_finds_the_same_ids_in_any_order(
        transactions in transactions(),
        shift in 0usize..12,
    ) {
        let body = |list: &[Value]| json!({"accounts": [{"iban": "DE1", "transactions": list}]});
        let ids = |list: &[Value]| {
            let accounts = stored(&body(list));
            let mut ids: Vec<_> = accounts[0].transactions.iter().map(|t| t.id.clone()).collect();
            ids.sort();
            ids
        };
        let mut turned = transactions.clone();
        turned.rotate_left(shift.min(transactions.len()));
        let first = ids(&transactions);
        prop_assert_eq!(&first, &ids(&turned));
        let mut unique = first.clone();
        unique.dedup();
        prop_assert_eq!(unique.len(), first.len());
    }

    #[test]
    fn strict_and_lenient_agree_on_good_data(transactions in transactions()) {
        let named: Vec<Value> = transactions
            .into_iter()
            .enumerate()
            .map(|(index, mut transaction)| {
                transaction["transactionId"] = json!(format!("t{index}"));
                transaction
            })
            .collect();
        let body = json!({"accounts": [{"accountId": "a", "transactions": named}]});
        let strict = stored(&body);
        let body = serde_json::to_vec(&body).expect("JSON");
        let lenient = upload::read(&body, &UploadLimits::FILE, Mode::Lenient).expect("reads");
        let (lenient, findings) = lenient.into_accounts();
        prop_assert_eq!(strict, lenient);
        prop_assert_eq!(findings, []);
    }

    #[test]
    fn bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_everything(&body);
    }

    #[test]
    fn near_json_never_panics(
        body in "(\\{\"accounts\":\\[)?(\\{|\\}|\\[|\\]|,|:|\"|\\\\|\\\\u|\"amount\"|\"accounts\"|\
                 \"transactions\"|\"bookingDate\"|\"transactionId\"|\"overdraft\"|null|true|-1|1e9|\
                 0\\.001|\"x\"|ä|\n){0,40}"
    ) {
        read_everything(body.as_bytes());
    }

    #[test]
    fn damaged_uploads_never_panic(at in 0usize..2_000, byte in any::<u8>()) {
        let mut body = include_bytes!("../../../../examples/upload-person.json").to_vec();
        let at = at % body.len();
        body[at] = byte;
        read_everything(&body);
        read_everything(&body[..at]);
    }
}

/// Reads bytes in every way; what comes out does not matter, only that it does.
fn read_everything(body: &[u8]) {
    let limits = UploadLimits::REQUEST;
    for mode in [Mode::Strict, Mode::Lenient] {
        if let Ok(upload) = upload::read(body, &limits, mode) {
            let _ = identity::resolve(upload.accounts, &[]);
        }
    }
    let _ = corpus::read_user(body, &limits);
    let _ = record::read(body, &limits);
    for line in Lines::with_limit(body, 64) {
        let _ = line.expect("no I/O");
    }
}
