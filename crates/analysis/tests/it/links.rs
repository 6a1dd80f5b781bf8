//! Links between bookings: demands on transfers and returns as tests.

use std::collections::BTreeSet;

use analysis::event::Role;
use analysis::links::{self, Counts, Evidence, LinkKind, Links, MemberRole, Rates, Sums};
use chrono::NaiveDate;
use domain::{Account, AccountType, Currency, Money, Transaction};
use proptest::prelude::*;

use crate::ledger::{account, after, booking, currency, day, detect, events, told};

const OWNER: &str = "Verena Häberle";
const GIRO: &str = "DE95600501019608731143";
const SAVINGS: &str = "DE44600501014229985837";
const SECOND: &str = "DE89370400440532013000";

fn three() -> Vec<Account> {
    vec![
        account("a-giro", AccountType::Giro, OWNER, GIRO),
        account("b-savings", AccountType::Tagesgeld, OWNER, SAVINGS),
        account("c-second", AccountType::Giro, OWNER, SECOND),
    ]
}

fn to(iban: &str, mut transaction: Transaction) -> Transaction {
    transaction.counterparty.iban = iban.into();
    transaction
}

fn sums(accounts: &[Account], links: &Links) -> Vec<Sums> {
    links.sums(&events(accounts), |_| true).expect("in range")
}

/// Pseudo-random numbers, the same in every run (Numerical Recipes' linear congruence).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// What a transfer's sides show of the other: banks differ.
fn dress(chance: &mut Chance, transaction: &mut Transaction, other_iban: &str) {
    match chance.below(10) {
        0..6 => {
            transaction.counterparty.name = "Verena Haeberle".into();
            transaction.counterparty.iban = other_iban.into();
        }
        6 | 7 => transaction.counterparty.name = "HAEBERLE, VERENA".into(),
        8 => transaction.counterparty.iban = other_iban.into(),
        _ => transaction.remittance_info = "Umbuchung".into(),
    }
}

/// Three accounts with 500 transfers and decoys of equal amounts around 5 % of them.
fn crowd(seed: u64) -> (Vec<Account>, BTreeSet<(String, String)>) {
    let mut accounts = three();
    let ibans = [GIRO, SAVINGS, SECOND];
    let mut truth = BTreeSet::new();
    let mut chance = Chance(seed);
    for number in 0..500_u64 {
        let from = usize::try_from(chance.below(3)).expect("small");
        let other = usize::try_from(1 + chance.below(2)).expect("small");
        let into = (from + other) % 3;
        // Half of them are round, as transfers are, so that some meet by chance.
        let minor = if chance.below(2) == 0 {
            5_000 * (1 + i64::try_from(chance.below(20)).expect("small"))
        } else {
            100 + i64::try_from(chance.below(90_000)).expect("small")
        };
        let sent = after(day("2023-01-02"), chance.below(900));
        let came = after(sent, chance.below(5));
        let (out_id, in_id) = (format!("out-{number}"), format!("in-{number}"));
        let mut out = booking(&out_id, &sent.to_string(), -minor, "", "");
        let mut incoming = booking(&in_id, &came.to_string(), minor, "", "");
        dress(&mut chance, &mut out, ibans[into]);
        dress(&mut chance, &mut incoming, ibans[from]);
        accounts[from].transactions.push(out);
        accounts[into].transactions.push(incoming);
        truth.insert((out_id, in_id));
        if number % 20 == 0 {
            let decoy = after(sent, chance.below(4)).to_string();
            let id = format!("decoy-{number}");
            let stranger = if chance.below(2) == 0 {
                let shop = booking(&id, &decoy, -minor, "Möbel Kraft GmbH", "Rechnung 4711");
                to("DE02100100100006820101", shop)
            } else {
                booking(&id, &decoy, minor, "Erwin Beispiel", "Danke")
            };
            let at = if stranger.amount.minor < 0 {
                from
            } else {
                into
            };
            accounts[at].transactions.push(stranger);
        }
    }
    (accounts, truth)
}

fn pairs(accounts: &[Account], links: &Links) -> BTreeSet<(String, String)> {
    let id = |place: links::Place| {
        accounts[place.account_index].transactions[place.transaction_index]
            .id
            .to_string()
    };
    links
        .links
        .iter()
        .filter(|link| link.kind == LinkKind::OwnTransfer && link.members.len() == 2)
        .map(|link| {
            let of = |role| link.members.iter().find(|member| member.role == role);
            let out = of(MemberRole::Outgoing).expect("an outgoing side");
            let into = of(MemberRole::Incoming).expect("an incoming side");
            (id(out.place), id(into.place))
        })
        .collect()
}

#[test]
fn d5_transfers_between_own_accounts_are_paired() {
    // Two equal transfers of the same days cannot be told apart, so one seed alone says little.
    let (mut right, mut found, mut known) = (0, 0, 0);
    for seed in 1..=20 {
        let (accounts, truth) = crowd(seed);
        let pairs = pairs(&accounts, &detect(&accounts));
        right += pairs.intersection(&truth).count();
        found += pairs.len();
        known += truth.len();
    }
    let (precision, recall) = (1000 * right / found, 1000 * right / known);
    assert!(precision >= 995, "precision {precision} ‰");
    assert!(recall >= 990, "recall {recall} ‰");
}

#[test]
fn d5_sums_stay_when_the_mirror_rows_go() {
    let (mut accounts, _) = crowd(7);
    let wage = booking("wage", "2023-05-31", 250_000, "ACME GmbH", "Lohn");
    accounts[0].transactions.push(wage);
    let all = detect(&accounts);
    let before = sums(&accounts, &all);
    let strangers = |accounts: &[Account]| -> i64 {
        let all = accounts.iter().flat_map(|account| &account.transactions);
        all.filter(|t| t.id.as_str().starts_with("decoy") && t.amount.minor < 0)
            .map(|t| -t.amount.minor)
            .sum()
    };
    assert_eq!(before[0].net_spending, strangers(&accounts));
    accounts[1]
        .transactions
        .retain(|t| t.id.as_str().starts_with("decoy"));
    let after = sums(&accounts, &detect(&accounts));
    assert_eq!(before, after);
}

struct Fixed;

impl Rates for Fixed {
    fn per_million(&self, from: Currency, to: Currency, _: NaiveDate) -> Option<u64> {
        (from == Currency::EUR && to.as_str() == "USD").then_some(1_080_000)
    }
}

#[test]
fn d5_two_currencies_fit_the_day_s_rate() {
    for (minor, expected) in [
        (10_800, true),
        (10_600, true),
        (10_500, false),
        (10_000, false),
    ] {
        let mut accounts = three();
        let out = booking("out", "2025-03-03", -10_000, OWNER, "USD");
        accounts[0].transactions.push(to(SECOND, out));
        let mut into = booking("in", "2025-03-05", minor, "Interactive", "");
        into.amount = Money::new(minor, currency("USD"));
        accounts[2].transactions.push(into);
        let mirror = booking("in2", "2025-03-05", 777, OWNER, "");
        accounts[2].transactions.push(mirror);
        accounts[2].transactions[0].counterparty.name = OWNER.into();
        let events = events(&accounts);
        let found = links::detect(&accounts, &events, &Fixed);
        let pair = found.links.iter().find(|link| link.members.len() == 2);
        assert_eq!(pair.is_some(), expected, "{minor}");
        if let Some(pair) = pair {
            assert!(pair.evidence.contains(&Evidence::FitsRate));
        }
        // Without a rate the amounts say nothing, and only one side names the other's account.
        let blind = detect(&accounts);
        assert!(blind.links.iter().all(|link| link.members.len() == 1));
    }
}

#[test]
fn one_side_is_enough() {
    let mut accounts = three();
    let rows = [
        to(
            SAVINGS,
            booking("iban", "2025-03-03", -10_000, "Tagesgeld", ""),
        ),
        booking("name", "2025-03-04", -20_000, "Verena Haeberle", "Reserve"),
        to(
            "DE08501900004805152230",
            booking("elsewhere", "2025-03-05", -30_000, OWNER, "Sparbuch Emma"),
        ),
        to(
            "DE08501900004805152230",
            booking("unnamed", "2025-04-05", -30_000, "", "Emma"),
        ),
        booking("husband", "2025-03-06", -40_000, "Max Häberle", "Urlaub"),
        booking("shop", "2025-03-07", -50_000, "Möbel Kraft", "Umbuchung 3"),
    ];
    accounts[0].transactions.extend(rows);
    let links = detect(&accounts);
    assert_eq!(
        told(&accounts, &links),
        [
            "ownTransfer: outgoing=elsewhere",
            "ownTransfer: outgoing=iban",
            "ownTransfer: outgoing=name",
            "ownTransfer: outgoing=unnamed",
        ]
    );
    assert_eq!(links.links[0].other_account, Some(1));
    assert_eq!(links.links[1].other_account, None);
    let all = sums(&accounts, &links);
    assert_eq!(all[0].net_spending, 90_000);
}

#[test]
fn cards_count_what_was_bought_and_loans_what_was_paid() {
    let mut accounts = vec![
        account("a-giro", AccountType::Giro, OWNER, GIRO),
        account("b-card", AccountType::KreditKarte, OWNER, ""),
        account("c-loan", AccountType::Kreditdarlehen, OWNER, SECOND),
    ];
    let settlement = "Kreditkartenabrechnung 03/2025";
    accounts[0].transactions.extend([
        booking(
            "settled",
            "2025-04-02",
            -7_000,
            "Musterbank Kartenservice",
            settlement,
        ),
        booking(
            "again",
            "2025-05-02",
            -2_500,
            "Musterbank Kartenservice",
            settlement,
        ),
        booking(
            "rate",
            "2025-04-01",
            -30_000,
            "Musterbank",
            "Darlehen Rate April",
        ),
    ]);
    accounts[1].transactions.extend([
        booking("dinner", "2025-03-10", -3_000, "Ristorante", ""),
        booking("shoes", "2025-03-12", -4_000, "Schuhhaus", ""),
        booking("paid", "2025-04-03", 7_000, "", "Lastschrift Saldo"),
        booking("book", "2025-04-20", -2_500, "Buchladen", ""),
    ]);
    accounts[2]
        .transactions
        .push(booking("received", "2025-04-01", 30_000, "", "Rate"));
    let links = detect(&accounts);
    assert_eq!(
        told(&accounts, &links),
        [
            "cardSettlement: incoming=paid outgoing=settled",
            "cardSettlement: outgoing=again",
            "loanPayment: incoming=received outgoing=rate",
        ]
    );
    let all = sums(&accounts, &links);
    assert_eq!(all[0].net_spending, 3_000 + 4_000 + 2_500 + 30_000);
    assert_eq!(all[0].net_income, 0);
}

#[test]
fn d6_a_returned_debit_is_one_chain_of_three() {
    let mut giro = account("a-giro", AccountType::Giro, OWNER, GIRO);
    let mut debit = booking(
        "debit",
        "2025-03-03",
        -8_000,
        "Strom AG",
        "Abschlag 03/2025",
    );
    debit.booking_text = "FOLGELASTSCHRIFT".into();
    let mut back = booking(
        "return",
        "2025-03-06",
        8_000,
        "Strom AG",
        "mangels Deckung AM04",
    );
    back.booking_text = "RUECKLASTSCHRIFT".into();
    let earlier = booking(
        "earlier",
        "2025-02-03",
        -8_000,
        "Strom AG",
        "Abschlag 02/2025",
    );
    let fee = booking(
        "fee",
        "2025-03-06",
        -350,
        "",
        "Entgelt Rücklastschrift v. 03.03.2025",
    );
    giro.transactions = vec![debit, back, fee, earlier];
    let accounts = [giro];
    let links = detect(&accounts);
    assert_eq!(
        told(&accounts, &links),
        ["returnChain: fee=fee original=debit return=return"]
    );
    let [all] = sums(&accounts, &links)[..] else {
        panic!("one currency");
    };
    assert_eq!((all.gross_income, all.net_income), (0, 0));
    assert_eq!(all.gross_spending, 8_000 + 8_000 + 350);
    assert_eq!(all.net_spending, 8_000 + 350);
    let mut events = events(&accounts);
    links.mark(&mut events);
    let role = |id: &str| {
        let event = events
            .iter()
            .find(|event| event.transaction.id.as_str() == id);
        event.map(|event| event.role)
    };
    assert_eq!(role("debit"), Some(Role::Returned));
    assert_eq!(role("return"), Some(Role::Return));
    assert_eq!(role("fee"), Some(Role::ReturnFee));
    assert_eq!(role("earlier"), Some(Role::Ordinary));
}

#[test]
fn returns_find_their_payment_among_equal_ones() {
    let mut giro = account("a-giro", AccountType::Giro, OWNER, GIRO);
    let rows = [
        ("gym", "Fitness GmbH", "M-1"),
        ("phone", "Telefon AG", "M-2"),
    ];
    for (id, name, mandate) in rows {
        let mut debit = booking(id, "2025-03-03", -2_999, name, "Beitrag");
        debit.mandate_id = mandate.into();
        debit.transaction_code = Some(105);
        giro.transactions.push(debit);
    }
    for (id, date, mandate) in [
        ("back-1", "2025-03-07", "M-1"),
        ("back-2", "2025-03-07", "M-2"),
    ] {
        let mut back = booking(id, date, 2_999, "", "");
        back.mandate_id = mandate.into();
        back.transaction_code = Some(181);
        giro.transactions.push(back);
    }
    giro.transactions.extend([
        booking("fee-1", "2025-03-07", -300, "", "Rücklastschrift Gebühr"),
        booking("fee-2", "2025-03-07", -300, "", "Rücklastschrift Gebühr"),
        booking("account", "2025-03-07", -490, "", "Kontoführungsentgelt"),
    ]);
    let accounts = [giro];
    assert_eq!(
        told(&accounts, &detect(&accounts)),
        [
            "returnChain: fee=fee-1 original=gym return=back-1",
            "returnChain: fee=fee-2 original=phone return=back-2",
        ]
    );
}

#[test]
fn a_business_s_collections_come_back_too() {
    let mut giro = account("a-giro", AccountType::Giro, "Gerlach & Sohl GbR", GIRO);
    let mut collected = booking("in", "2025-03-03", 12_000, "Erwin Kunde", "Rechnung 900123");
    collected.transaction_code = Some(192);
    let mut back = booking(
        "back",
        "2025-03-10",
        -12_000,
        "Erwin Kunde",
        "Rechnung 900123 AC04",
    );
    back.transaction_code = Some(109);
    giro.transactions = vec![collected, back];
    let accounts = [giro];
    let links = detect(&accounts);
    assert_eq!(
        told(&accounts, &links),
        ["returnChain: original=in return=back"]
    );
    let all = sums(&accounts, &links);
    assert_eq!((all[0].gross_income, all[0].net_income), (12_000, 0));
    assert_eq!(all[0].net_spending, 0);
}

#[test]
fn d6_refunds_reduce_spending() {
    let mut giro = account("a-giro", AccountType::Giro, OWNER, GIRO);
    giro.transactions = vec![
        booking(
            "bought",
            "2025-03-03",
            -3_000,
            "Schuhhaus GmbH",
            "Bestellung 1234567",
        ),
        booking("back", "2025-03-20", 5_000, "SCHUHHAUS", "Erstattung"),
    ];
    let accounts = [giro];
    let links = detect(&accounts);
    assert_eq!(
        told(&accounts, &links),
        ["refund: purchase=bought refund=back"]
    );
    let all = sums(&accounts, &links);
    assert_eq!(all[0].gross_spending, 3_000);
    assert_eq!(all[0].net_spending, -2_000);
    assert_eq!((all[0].gross_income, all[0].net_income), (0, 0));
    assert_eq!(links.counts, [Counts::Itself, Counts::LessSpending]);
}

#[test]
fn partial_refunds_share_a_purchase_and_numbers_decide() {
    let mut giro = account("a-giro", AccountType::Giro, OWNER, GIRO);
    giro.transactions = vec![
        booking(
            "first",
            "2025-03-03",
            -9_000,
            "Versand24",
            "Bestellung 1234567",
        ),
        booking(
            "second",
            "2025-03-05",
            -8_000,
            "Versand24",
            "Bestellung 7654321",
        ),
        booking(
            "part-1",
            "2025-03-12",
            2_000,
            "Versand24",
            "Erstattung 1234567",
        ),
        booking(
            "part-2",
            "2025-03-14",
            7_000,
            "Versand24",
            "Erstattung zu 1234567",
        ),
        booking("whole", "2025-03-15", 8_000, "Versand24", "Retoure"),
        booking("wage", "2025-03-30", 200_000, "ACME GmbH", "Lohn"),
    ];
    let accounts = [giro];
    assert_eq!(
        told(&accounts, &detect(&accounts)),
        [
            "refund: purchase=first refund=part-1 refund=part-2",
            "refund: purchase=second refund=whole",
        ]
    );
}

#[test]
fn friends_who_pay_back_are_no_refund() {
    let mut giro = account("a-giro", AccountType::Giro, OWNER, GIRO);
    giro.transactions = vec![
        booking("lent", "2025-03-03", -3_000, "Erwin Beispiel", "Konzert"),
        booking("back", "2025-03-20", 3_000, "Erwin Beispiel", "danke"),
    ];
    let accounts = [giro];
    assert_eq!(told(&accounts, &detect(&accounts)), [""; 0]);
}

/// Bookings that meet each other in many ways.
fn mixed() -> impl Strategy<Value = Vec<Account>> {
    let names = ["", "Verena Haeberle", "Strom AG", "V. Häberle", "Versand24"];
    let texts = [
        "",
        "Umbuchung",
        "Rücklastschrift",
        "Erstattung",
        "Entgelt Rücklastschrift",
        "Sparen",
    ];
    let ibans = ["", GIRO, SAVINGS, SECOND, "DE02100100100006820101"];
    let row = (
        0..3_usize,
        0..40_u64,
        prop::sample::select(vec![-8_000_i64, 8_000, -350, 5_000, -5_000, 3_000]),
        prop::sample::select(names.to_vec()),
        prop::sample::select(texts.to_vec()),
        prop::sample::select(ibans.to_vec()),
    );
    prop::collection::vec(row, 0..40).prop_map(|rows| {
        let mut accounts = three();
        for (index, (at, days, minor, name, text, iban)) in rows.into_iter().enumerate() {
            let date = after(day("2025-01-02"), days).to_string();
            let row = booking(&format!("t{index:02}"), &date, minor, name, text);
            accounts[at].transactions.push(to(iban, row));
        }
        accounts
    })
}

proptest! {
    #[test]
    fn the_order_of_input_changes_nothing(accounts in mixed(), turns in 0..40_usize) {
        let before = told(&accounts, &detect(&accounts));
        let mut turned = accounts;
        turned.rotate_left(turns % 3);
        for account in &mut turned {
            let rows = account.transactions.len().max(1);
            account.transactions.reverse();
            let middle = (turns % rows).min(account.transactions.len());
            account.transactions.rotate_left(middle);
        }
        prop_assert_eq!(told(&turned, &detect(&turned)), before);
    }

    #[test]
    fn an_unrelated_account_changes_nothing(accounts in mixed()) {
        let before = told(&accounts, &detect(&accounts));
        let mut more = accounts;
        let mut other = account("d-other", AccountType::Giro, "Verena Häberle", "DE02120300000000202051");
        other.transactions.push(booking("x", "2025-01-20", -12_345, "Kiosk", "Zeitung"));
        more.push(other);
        prop_assert_eq!(told(&more, &detect(&more)), before);
    }

    #[test]
    fn each_booking_has_one_part(accounts in mixed()) {
        let links = detect(&accounts);
        let mut places: Vec<_> = links
            .links
            .iter()
            .flat_map(|link| link.members.iter().map(|member| member.place))
            .collect();
        let all = places.len();
        places.sort_unstable();
        places.dedup();
        prop_assert_eq!(places.len(), all);
        // What is left to the user is what all bookings sum to, but for transfers with one side.
        let events = events(&accounts);
        let both = links.links.iter().filter(|link| link.members.len() > 1);
        for link in both.filter(|link| link.kind == LinkKind::OwnTransfer) {
            let sum: i64 = events
                .iter()
                .filter(|event| link.members.iter().any(|member| {
                    member.place.account_index == event.account_index
                        && member.place.transaction_index == event.transaction_index
                }))
                .map(analysis::event::Event::minor)
                .sum();
            prop_assert_eq!(sum, 0);
        }
    }
}
