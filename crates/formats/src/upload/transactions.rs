//! The bookings of one account.

use std::collections::HashMap;

use domain::{FindingCode, Transaction};
use serde_json::value::RawValue;
use wire::json::InvalidInput;
use wire::upload::TransactionRequest;

use super::transaction::transaction;
use super::{Mode, Reading, UploadedAccount, list};
use crate::identity::TransactionNamer;

/// Reads the bookings into an account.
///
/// # Errors
/// The first fault that cannot be tolerated, with its path relative to the account.
pub(super) fn transactions(
    reading: &mut Reading<'_>,
    mut uploaded: UploadedAccount,
    sent: Option<&RawValue>,
) -> Result<UploadedAccount, InvalidInput> {
    let Some(raw) = sent else {
        return Ok(uploaded);
    };
    let here = format!("[{}].transactions", uploaded.position);
    read_rows(reading, &here, &uploaded, raw)
        .and_then(|rows| rows.settle(reading, &here, &mut uploaded))
        .map_err(|error| error.under("transactions"))?;
    Ok(uploaded)
}

fn read_rows(
    reading: &mut Reading<'_>,
    here: &str,
    uploaded: &UploadedAccount,
    raw: &RawValue,
) -> Result<Rows, InvalidInput> {
    let mut namer = match reading.mode {
        Mode::Strict => TransactionNamer::by_content(&uploaded.account.id),
        Mode::Lenient => TransactionNamer::by_position(),
    };
    let currency = uploaded.account.currency;
    let mut rows = Rows::default();
    list::each(raw, |position, item: Result<TransactionRequest<'_>, _>| {
        reading.count_transaction()?;
        let unnamed = item.as_ref().is_ok_and(is_unnamed);
        let read = item
            .and_then(|sent| transaction(sent, position, currency, reading.limits, &mut namer))
            .map_err(|error| error.under(&format!("[{position}]")));
        if let Some(transaction) = reading.optional(here, read)? {
            rows.push(position, unnamed, transaction);
        }
        Ok(())
    })?;
    Ok(rows)
}

fn is_unnamed(sent: &TransactionRequest<'_>) -> bool {
    sent.transaction_id
        .as_ref()
        .is_none_or(|id| id.as_str().is_empty())
}

/// Bookings as read, before identifiers that were sent twice are found.
#[derive(Default)]
struct Rows {
    transactions: Vec<Transaction>,
    positions: Vec<usize>,
    unnamed: Vec<bool>,
}

impl Rows {
    fn push(&mut self, position: usize, unnamed: bool, transaction: Transaction) {
        self.transactions.push(transaction);
        self.positions.push(position);
        self.unnamed.push(unnamed);
    }

    /// Moves the bookings into their account; of several with one identifier the last counts.
    fn settle(
        self,
        reading: &mut Reading<'_>,
        here: &str,
        uploaded: &mut UploadedAccount,
    ) -> Result<(), InvalidInput> {
        let replaced = self.replaced(reading, here)?;
        let mut positions = self.positions;
        let mut kept = replaced.iter().map(|replaced| !replaced);
        positions.retain(|_| kept.next().unwrap_or(true));
        if positions
            .iter()
            .enumerate()
            .any(|(row, position)| row != *position)
        {
            uploaded.positions = positions;
        }
        let rows = self.transactions.into_iter().zip(self.unnamed);
        for ((transaction, unnamed), replaced) in rows.zip(replaced) {
            if replaced {
                continue;
            }
            if unnamed {
                uploaded.unnamed.push(uploaded.account.transactions.len());
            }
            uploaded.account.transactions.push(transaction);
        }
        Ok(())
    }

    /// Which bookings have a later one with their identifier.
    fn replaced(&self, reading: &mut Reading<'_>, here: &str) -> Result<Vec<bool>, InvalidInput> {
        let mut replaced = vec![false; self.transactions.len()];
        let mut newest = HashMap::with_capacity(self.transactions.len());
        for (row, transaction) in self.transactions.iter().enumerate() {
            let Some(earlier) = newest.insert(transaction.id.as_str(), row) else {
                continue;
            };
            let position = |row: usize| self.positions.get(row).copied().unwrap_or_default();
            let fault = InvalidInput::new(
                format!("[{}].transactionId", position(row)),
                format!("is the same as that of transactions[{}]", position(earlier)),
            );
            reading.report(here, fault, FindingCode::DuplicateId)?;
            if let Some(mark) = replaced.get_mut(earlier) {
                *mark = true;
            }
        }
        Ok(replaced)
    }
}
