//! One booking from its wire shape.

use domain::{Counterparty, Currency, Transaction, TransactionId};
use wire::json::{InvalidInput, Object};
use wire::upload::{PaymentPartnerRequest, Text, TransactionRequest};

use super::field;
use crate::identity::{Content, TransactionNamer};
use crate::limits::UploadLimits;

/// Highest German transaction code.
const TRANSACTION_CODE_MAX: u16 = 999;

/// Converts the booking at a position of an account in the given currency; the namer names it
/// when its sender did not.
///
/// # Errors
/// The first fault, with its path relative to the booking.
pub(crate) fn transaction(
    sent: TransactionRequest<'_>,
    position: usize,
    account_currency: Currency,
    limits: &UploadLimits,
    namer: &mut TransactionNamer,
) -> Result<Transaction, InvalidInput> {
    let amount = sent.amount.ok_or_else(|| InvalidInput::missing("amount"))?;
    let booking = sent
        .booking_date
        .ok_or_else(|| InvalidInput::missing("bookingDate"))?;
    let currency = field::currency("currency", sent.currency.as_ref(), account_currency)?;
    let amount = field::money("amount", amount, currency)?;
    let booking = field::instant("bookingDate", booking)?;
    let value = sent
        .value_date
        .map(|raw| field::instant("valueDate", raw))
        .transpose()?;
    let code = sent
        .transaction_code
        .map(|raw| field::whole("transactionCode", raw, 0..=TRANSACTION_CODE_MAX))
        .transpose()?;
    let counterparty = counterparty(sent.payment_partner, limits)
        .map_err(|error| error.under("paymentPartner"))?;
    let purpose = field::text("purpose", sent.purpose, limits.purpose_bytes_max)?;
    let content = Content {
        day: booking.day,
        amount,
        counterparty: &counterparty,
        purpose: &purpose,
    };
    let id = match sent.transaction_id {
        Some(Text(id)) if !id.is_empty() => TransactionId::try_new(id),
        Some(_) | None => namer.name(position, &content),
    };
    let text = |name, sent| field::text(name, sent, limits.text_bytes_max);
    Ok(Transaction {
        id: id.map_err(|error| InvalidInput::new("transactionId", error.to_string()))?,
        amount,
        booking_date: booking.day,
        booking_instant: booking.seconds,
        value_date: value.map(|value| value.day),
        value_instant: value.map(|value| value.seconds),
        booking_text: text("bookingText", sent.booking_text)?,
        remittance_info: purpose.into(),
        counterparty,
        ultimate_creditor: text("differentCreditor", sent.different_creditor)?.into(),
        ultimate_debtor: text("differentDebitor", sent.different_debitor)?.into(),
        end_to_end_id: text("eref", sent.eref)?.into(),
        mandate_id: text("mref", sent.mref)?.into(),
        merchant_category_code: text("merchantCategoryCode", sent.merchant_category_code)?,
        purpose_code: text("sepaPurposeCode", sent.sepa_purpose_code)?,
        transaction_code: code,
    })
}

fn counterparty(
    sent: Option<Object<PaymentPartnerRequest<'_>>>,
    limits: &UploadLimits,
) -> Result<Counterparty, InvalidInput> {
    let Some(Object(sent)) = sent else {
        return Ok(Counterparty::default());
    };
    Ok(Counterparty {
        name: field::text("name", sent.name, limits.text_bytes_max)?.into(),
        iban: field::text("iban", sent.iban, limits.code_bytes_max)?.into(),
        bic: field::text("bic", sent.bic, limits.code_bytes_max)?,
        creditor_id: field::text("creditorId", sent.creditor_id, limits.code_bytes_max)?,
    })
}
