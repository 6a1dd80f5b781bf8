//! Money that comes back from where it was spent.

use domain::UserType;
use rules::example::Example;
use rules::{Categorizer, Decision, TenantRules};

use crate::agreement::PACK;

fn decide(categorizer: Categorizer<'_>, line: &str) -> Decision {
    let example = Example::parse(line).expect(line);
    let view = PACK.prepare(&example.transaction, &example.context);
    categorizer.decide(&view, &mut PACK.scratch())
}

fn check(tree: UserType, line: &str, tag: &str, refund_of: Option<&str>) {
    let decision = decide(Categorizer::new(&PACK, tree), line);
    let spending = decision.refund_of.map(|tag| PACK.tag_name(tag));
    assert_eq!(
        (PACK.tag_name(decision.tag), spending),
        (tag, refund_of),
        "{line}"
    );
    assert!(!decision.abstained || refund_of.is_none(), "{line}");
}

fn person(line: &str, tag: &str, refund_of: Option<&str>) {
    check(UserType::Person, line, tag, refund_of);
}

fn company(line: &str, tag: &str, refund_of: Option<&str>) {
    check(UserType::Company, line, tag, refund_of);
}

#[test]
fn credits_of_known_merchants_are_refunds() {
    person(
        "REWE Markt GmbH | 4711 | +12.00",
        "refund_purchase",
        Some("household_grocery"),
    );
    person(
        "ZALANDO SE | 1234567 | +49.95",
        "refund_purchase",
        Some("fashion"),
    );
    person(
        "Deutsche Lufthansa AG | 220-123 | +312.00",
        "refund_purchase",
        Some("flight"),
    );
    person(
        "REWE 4711//Kiel/DE | x | +4.00 | mcc=5411",
        "refund_purchase",
        Some("household_grocery"),
    );
    person(
        "Allianz Versicherungs-AG | 4711/0815 | +312.00",
        "insurance_payout",
        Some("insurance_other"),
    );
    person(
        "Vattenfall Europe Sales GmbH | 4711 | +84.20",
        "refund_utilities",
        Some("electricity"),
    );
    person(
        "Tipico Co. Ltd. | 4711 | +84.20",
        "gambling_winnings",
        Some("sports_betting"),
    );
    company(
        "Bauhaus GmbH Co KG | 4711 | +84.20",
        "refund",
        Some("raw_material"),
    );
}

#[test]
fn merchants_behind_services_are_read_for_refunds() {
    person(
        "PayPal Europe S.a.r.l. | 1012/PP.55.PP/. Zalando, Ihr Einkauf bei Zalando | +49.95",
        "refund_purchase",
        Some("fashion"),
    );
    person(
        "SumUp *REWE | x | +4.95",
        "refund_purchase",
        Some("household_grocery"),
    );
}

#[test]
fn refunds_by_their_wording_know_their_spending_too() {
    person(
        "REWE Markt GmbH | Erstattung Leergut | +12.00",
        "refund_purchase",
        Some("household_grocery"),
    );
    person(
        "Kern und Sohn | Retoure 4711 | +12.00",
        "refund_purchase",
        None,
    );
}

#[test]
fn whoever_knows_the_credit_better_wins() {
    person(
        "REWE Markt GmbH | Lohn 03/2026 | +1812.00",
        "salary_wage",
        None,
    );
    person(
        "REWE Markt GmbH | 03/2026 | +1812.00 | gvc=153",
        "salary_wage",
        None,
    );
    person(
        "REWE Markt GmbH | 03/2026 | +1812.00 | purpose_code=SALA",
        "salary_wage",
        None,
    );
    person(
        "Allianz Lebensversicherung | Betriebsrente 03/26 | +512.00",
        "pension_company",
        None,
    );
    person(
        "Allianz SE | Dividende WKN 840400 | +52.00",
        "dividend",
        None,
    );
}

#[test]
fn people_are_no_merchants() {
    person("Anna Metzger | danke | +12.00", "transfer_in", None);
    person("Peter Becker | danke | +12.00", "transfer_in", None);
    person("Familie Becker | Urlaub | +12.00", "transfer_in", None);
    person("Karl Heinz Metzger | danke | +12.00", "transfer_in", None);
}

#[test]
fn debits_are_never_refunds() {
    person(
        "REWE Markt GmbH | Erstattung | -12.00",
        "household_grocery",
        None,
    );
}

/// A tenant's rule about spending is the first to say what came back.
#[test]
fn tenants_say_what_was_spent() {
    let source = include_str!("tenant_person.toml");
    let rules = TenantRules::compile(&PACK, UserType::Person, source).expect("valid");
    let tenant = Categorizer::new(&PACK, UserType::Person).with_tenant(Some(&rules));
    let decision = decide(tenant, "REWE Markt GmbH | 4711 | +12.00");
    assert_eq!(PACK.tag_name(decision.tag), "refund_purchase");
    assert_eq!(
        decision.refund_of.map(|tag| PACK.tag_name(tag)),
        Some("restaurant")
    );
    let decision = decide(tenant, "Kern | 4711 | +12.00 | mcc=5812");
    assert_eq!(tenant.rule_name(&decision), "own-canteen");
}
