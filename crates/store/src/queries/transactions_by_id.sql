select t.account_id, t.transaction_id, t.amount_minor, t.currency, t.booking_date,
       t.booking_instant, t.value_date, t.value_instant, t.booking_text, t.purpose,
       t.partner_name, t.partner_iban, t.partner_bic, t.partner_creditor_id, t.ultimate_creditor,
       t.ultimate_debtor, t.end_to_end_id, t.mandate_id, t.merchant_category_code, t.purpose_code,
       t.transaction_code
from unnest($3::text[], $4::text[]) as wanted (account_id, transaction_id)
join transaction t
  on t.tenant_id = $1 and t.user_id = $2
 and t.account_id = wanted.account_id and t.transaction_id = wanted.transaction_id
