//! Securities and standing orders: checked, shown, and not analysed.
//!
//! They are kept as canonical JSON text: documented keys only, numbers as written.

use serde::Serialize;
use serde_json::value::RawValue;
use wire::json::InvalidInput;
use wire::upload::{Security, StandingOrder};

use super::{field, list};
use crate::limits::{SHOWN_NUMBER_BYTES_MAX, UploadLimits};

/// Days of a month on which an order can be due.
const EXECUTION_DAYS: std::ops::RangeInclusive<u16> = 1..=31;

/// Reads securities into canonical JSON; nothing when there are none.
///
/// # Errors
/// The first fault, with its path relative to the account.
pub(super) fn securities(
    sent: Option<&RawValue>,
    limits: &UploadLimits,
) -> Result<Option<String>, InvalidInput> {
    let mut array = Array::new("securities", limits.securities_max);
    let read = sent.map_or(Ok(()), |raw| {
        list::each(raw, |position, item: Result<Security<'_>, _>| {
            array.take(position, item, |security| {
                check_texts(security.texts(), limits)?;
                check_numbers(security.numbers())
            })
        })
    });
    array.finish(read)
}

/// Reads standing orders into canonical JSON; nothing when there are none.
///
/// # Errors
/// The first fault, with its path relative to the account.
pub(super) fn standing_orders(
    sent: Option<&RawValue>,
    limits: &UploadLimits,
) -> Result<Option<String>, InvalidInput> {
    let mut array = Array::new("standingOrders", limits.standing_orders_max);
    let read = sent.map_or(Ok(()), |raw| {
        list::each(raw, |position, item: Result<StandingOrder<'_>, _>| {
            array.take(position, item, |order| {
                check_texts(order.texts(), limits)?;
                check_numbers(order.numbers())?;
                let day = order.execution_day;
                day.map_or(Ok(()), |raw| {
                    field::whole("executionDay", raw, EXECUTION_DAYS).map(|_| ())
                })
            })
        })
    });
    array.finish(read)
}

fn check_texts<'t>(
    texts: impl Iterator<Item = (&'static str, Option<&'t str>)>,
    limits: &UploadLimits,
) -> Result<(), InvalidInput> {
    for (name, text) in texts {
        field::check_text(name, text.unwrap_or_default(), limits.text_bytes_max)?;
    }
    Ok(())
}

fn check_numbers<'t>(
    numbers: impl Iterator<Item = (&'static str, Option<&'t RawValue>)>,
) -> Result<(), InvalidInput> {
    for (name, number) in numbers {
        let text = number.map_or("0", RawValue::get);
        if !text.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) {
            return Err(InvalidInput::new(name, "must be a number"));
        }
        if text.len() > SHOWN_NUMBER_BYTES_MAX {
            return Err(InvalidInput::new(
                name,
                format!("must have at most {SHOWN_NUMBER_BYTES_MAX} digits"),
            ));
        }
    }
    Ok(())
}

/// A JSON array in the making.
struct Array {
    name: &'static str,
    max: usize,
    json: String,
}

impl Array {
    fn new(name: &'static str, max: usize) -> Self {
        Self {
            name,
            max,
            json: String::new(),
        }
    }

    fn take<T: Serialize>(
        &mut self,
        position: usize,
        item: Result<T, InvalidInput>,
        check: impl FnOnce(&T) -> Result<(), InvalidInput>,
    ) -> Result<(), InvalidInput> {
        if position >= self.max {
            return Err(InvalidInput::too_many("", "elements", self.max));
        }
        let here = |error: InvalidInput| error.under(&format!("[{position}]"));
        let item = item.map_err(here)?;
        check(&item).map_err(here)?;
        let json = serde_json::to_string(&item)
            .map_err(|_| here(InvalidInput::new("", "cannot be kept")))?;
        self.json.push(if self.json.is_empty() { '[' } else { ',' });
        self.json.push_str(&json);
        Ok(())
    }

    fn finish(mut self, read: Result<(), InvalidInput>) -> Result<Option<String>, InvalidInput> {
        read.map_err(|error| error.under(self.name))?;
        if self.json.is_empty() {
            return Ok(None);
        }
        self.json.push(']');
        Ok(Some(self.json))
    }
}
