//! Where accounts and transactions stood in the input, once some of them were left out.

use super::UploadedAccount;

/// Translates paths that count what was kept into paths that count what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    accounts: Vec<AccountPlace>,
    shifted: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct AccountPlace {
    position: usize,
    /// Positions of the transactions; empty when none was left out.
    transactions: Vec<usize>,
}

impl Places {
    pub(super) fn new(accounts: &[UploadedAccount]) -> Self {
        let accounts: Vec<_> = accounts
            .iter()
            .map(|account| AccountPlace {
                position: account.position,
                transactions: account.positions.clone(),
            })
            .collect();
        let shifted = accounts
            .iter()
            .enumerate()
            .any(|(index, place)| index != place.position || !place.transactions.is_empty());
        Self { accounts, shifted }
    }

    /// The path as it leads into the input: `accounts[0].transactions[3].amount`.
    pub fn in_input(&self, path: &str) -> String {
        if self.shifted {
            self.translate(path).unwrap_or_else(|| path.to_owned())
        } else {
            path.to_owned()
        }
    }

    fn translate(&self, path: &str) -> Option<String> {
        let (account, rest) = index_after("accounts[", path)?;
        let place = self.accounts.get(account)?;
        let here = format!("accounts[{}]", place.position);
        let transaction = index_after(".transactions[", rest);
        let Some((row, rest)) = transaction.filter(|_| !place.transactions.is_empty()) else {
            return Some(format!("{here}{rest}"));
        };
        let position = place.transactions.get(row)?;
        Some(format!("{here}.transactions[{position}]{rest}"))
    }
}

/// Reads `<prefix><number>]<rest>`.
fn index_after<'p>(prefix: &str, path: &'p str) -> Option<(usize, &'p str)> {
    let (number, rest) = path.strip_prefix(prefix)?.split_once(']')?;
    Some((number.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use crate::limits::UploadLimits;
    use crate::upload::{Mode, read};

    #[test]
    fn paths_lead_into_the_input() {
        let body = br#"{"accounts":[
            7,
            {"transactions":[{"amount":1,"bookingDate":0},{"amount":"x"},
                             {"amount":2,"bookingDate":0,"transactionId":"a"},
                             {"amount":3,"bookingDate":0,"transactionId":"a"}]},
            {"transactions":[{"amount":1,"bookingDate":0}]}]}"#;
        let upload = read(body, &UploadLimits::FILE, Mode::Lenient).expect("reads");
        let places = upload.places();
        for (kept, sent) in [
            ("accounts[0].iban", "accounts[1].iban"),
            (
                "accounts[0].transactions[0].x",
                "accounts[1].transactions[0].x",
            ),
            (
                "accounts[0].transactions[1].x",
                "accounts[1].transactions[3].x",
            ),
            ("accounts[1].transactions[0]", "accounts[2].transactions[0]"),
            ("elsewhere", "elsewhere"),
            ("accounts[9].iban", "accounts[9].iban"),
        ] {
            assert_eq!(places.in_input(kept), sent, "{kept}");
        }
        assert_eq!(upload.findings.len(), 3, "{:?}", upload.findings);
    }
}
