select account_id, transaction_id, amount_minor, currency, booking_date, booking_instant,
       value_date, value_instant, booking_text, purpose, partner_name, partner_iban, partner_bic,
       partner_creditor_id, ultimate_creditor, ultimate_debtor, end_to_end_id, mandate_id,
       merchant_category_code, purpose_code, transaction_code
from transaction
where tenant_id = $1 and user_id = $2
order by account_id, position
limit $3
