//! Accounts that bookings speak of.

use analysis::accounts;
use analysis::event;
use analysis::links::{self, NoRates};
use rules::RulePack;

use crate::sources::{scenarios, tags};

#[test]
fn scenarios_accounts_are_found() {
    let pack = RulePack::builtin().expect("the built-in pack");
    for user in scenarios() {
        let tags = tags(&pack, &user);
        let events = event::stream(&user.accounts, |account, at| tags[account][at].as_str());
        let links = links::detect(&user.accounts, &events, &NoRates);
        let detected = accounts::detect(&user.accounts, &events, &links);
        for account in detected
            .iter()
            .filter(|account| account.account_index.is_none())
        {
            let kind = account.kind.as_str();
            println!(
                "{}: {kind}, {} bookings",
                user.id,
                account.transactions.len()
            );
        }
        let connected = detected
            .iter()
            .filter(|account| account.account_index.is_some());
        assert_eq!(connected.count(), user.accounts.len(), "{}", user.id);
        for known in &user.truth.detected_accounts {
            let is_same = |field: &str, value: &str| {
                known
                    .get(field)
                    .and_then(|known| known.as_str())
                    .is_none_or(|known| known == value)
            };
            let found = detected.iter().any(|account| {
                account.account_index.is_none()
                    && is_same("type", account.kind.as_str())
                    && is_same("iban", account.iban.as_str())
            });
            assert!(found, "{}: {known:?}", user.id);
        }
    }
}
