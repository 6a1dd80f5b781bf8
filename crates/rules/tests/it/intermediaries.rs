//! The merchant behind a payment service decides, and the service is kept beside the tag.

use domain::UserType;
use rules::Decision;
use rules::example::Example;

use crate::agreement::PACK;

/// What a line is decided to be: tag, service, merchant.
fn decide(line: &str) -> (String, String, String) {
    let example = Example::parse(line).expect(line);
    let view = PACK.prepare(&example.transaction, &example.context);
    let decided: Decision = PACK.categorize(UserType::Person, &view, &mut PACK.scratch());
    let service = decided.intermediary.map(|id| PACK.intermediary(id));
    let merchant = decided.merchant(&example.transaction);
    assert_eq!(merchant.unwrap_or_default(), view.merchant(), "{line}");
    (
        PACK.tag_name(decided.tag).to_owned(),
        service.map_or_else(String::new, |service| service.id.clone()),
        view.merchant().to_owned(),
    )
}

fn check(line: &str, tag: &str, service: &str, merchant: &str) {
    let expected = (tag.to_owned(), service.to_owned(), merchant.to_owned());
    assert_eq!(decide(line), expected, "{line}");
}

#[test]
fn merchants_behind_a_star_are_read() {
    for (name, service) in [
        ("PAYPAL *NETFLIX", "paypal"),
        ("PP*NETFLIX", "paypal"),
        ("VISA PAYPAL *NETFLIX", "paypal"),
        ("KLARNA*NETFLIX", "klarna"),
        ("AMZ*NETFLIX", "amazon-pay"),
        ("AMZN Pay* NETFLIX", "amazon-pay"),
        ("ADYEN *NETFLIX", "adyen"),
        ("VISA ADYEN *NETFLIX", "adyen"),
        ("STRIPE *NETFLIX", "stripe"),
        ("Mollie *NETFLIX", "mollie"),
        ("SumUp  *NETFLIX//Kiel/DE", "sumup"),
        ("Zettle_*NETFLIX", "zettle"),
        ("iZ *NETFLIX", "zettle"),
        ("NEXI *NETFLIX", "nexi"),
        ("PAYONE *NETFLIX", "payone"),
        ("UNZER*NETFLIX", "unzer"),
        ("COMPUTOP *NETFLIX", "computop"),
        ("WL*NETFLIX", "worldline"),
        ("Worldline *NETFLIX", "worldline"),
        ("SQ *NETFLIX", "square"),
        ("LS *NETFLIX", "lightspeed"),
        ("SP *NETFLIX", "shopify"),
        ("PADDLE.NET* NETFLIX", "paddle"),
        ("myPOS *NETFLIX", "mypos"),
        ("VIVA *NETFLIX", "viva"),
        ("GOOGLE *NETFLIX", "google"),
        ("APPLE.COM/BILL *NETFLIX", "apple"),
    ] {
        let line = format!("{name} | 2025-03-01T10:00 Debitk.3 2026-12 | -9.99");
        check(&line, "streaming", service, "NETFLIX");
        // The same text without a field for the name.
        let line = format!(" | {name} | -9.99");
        check(&line, "streaming", service, "NETFLIX");
    }
}

#[test]
fn merchants_in_the_remittance_information_are_read() {
    check(
        "PayPal Europe S.a.r.l. et Cie S.C.A | 1012/PP.55.PP/. Netflix, Ihr Einkauf bei Netflix | -9.99",
        "streaming",
        "paypal",
        "Netflix",
    );
    check(
        "Klarna Bank AB (publ) | Einkauf bei Netflix | -9.99",
        "streaming",
        "klarna",
        "Netflix",
    );
    check(
        "AMAZON PAYMENTS EUROPE S.C.A. | 302-1234567 AMZN Mktp DE 4711 | -9.99",
        "online_marketplace",
        "",
        "",
    );
    check(
        "Adyen N.V. | Netflix 4711 | -9.99",
        "streaming",
        "adyen",
        "Netflix 4711",
    );
}

#[test]
fn telling_services_keep_their_name() {
    check(
        "PVS rhein-ruhr GmbH | RG 4711 Dr. Kern | -98.00",
        "medical_bill",
        "pvs",
        "Dr. Kern",
    );
    check(
        "Privatärztliche Verrechnungsstelle | Behandler Praxis Nord | -98.00",
        "medical_bill",
        "pvs",
        "Praxis Nord",
    );
    check(
        "APPLE.COM/BILL | ITUNES.COM | -2.99",
        "software_apps",
        "apple",
        "",
    );
    check(
        "GOOGLE *YouTubePremium | x | -12.99",
        "streaming",
        "google",
        "YouTubePremium",
    );
}

#[test]
fn names_that_only_look_like_a_service_are_none() {
    for name in [
        "SQ Handels GmbH",
        "LS Telcom AG",
        "SP Baustoffe",
        "PPG Coatings",
        "Sofortbild Kern",
        "PVSyst GmbH",
        "Visavis Mode",
        "Square Dance Verein",
    ] {
        let (_, service, _) = decide(&format!("{name} | RG 4711 | -9.99"));
        assert_eq!(service, "", "{name}");
    }
}

#[test]
fn refunds_keep_service_and_merchant() {
    check(
        "PayPal Europe S.a.r.l. | 1012/PP.55.PP/. Zalando, Ihr Einkauf bei Zalando | +49.95",
        "refund_purchase",
        "paypal",
        "Zalando",
    );
    check(
        "SumUp *REWE//Kiel/DE | Gutschrift | +4.95",
        "refund_purchase",
        "sumup",
        "REWE",
    );
}
