-- The subquery stays whole (`offset 0`), so that each wanted id is one look-up by key: the planner
-- believes that a user has a handful of rows, and would otherwise compare each with each id.
select t.account_id as "account_id!", t.transaction_id as "transaction_id!",
       t.amount_minor as "amount_minor!", t.currency as "currency!",
       t.booking_date as "booking_date!", t.booking_instant as "booking_instant!",
       t.value_date as "value_date?", t.value_instant as "value_instant?",
       t.booking_text as "booking_text!", t.purpose as "purpose!",
       t.partner_name as "partner_name!", t.partner_iban as "partner_iban!",
       t.partner_bic as "partner_bic!", t.partner_creditor_id as "partner_creditor_id!",
       t.ultimate_creditor as "ultimate_creditor!", t.ultimate_debtor as "ultimate_debtor!",
       t.end_to_end_id as "end_to_end_id!", t.mandate_id as "mandate_id!",
       t.merchant_category_code as "merchant_category_code!", t.purpose_code as "purpose_code!",
       t.transaction_code as "transaction_code?"
from unnest($3::text[], $4::text[]) as wanted (account_id, transaction_id)
cross join lateral (
    select * from transaction stored
    where stored.tenant_id = $1 and stored.user_id = $2
      and stored.account_id = wanted.account_id
      and stored.transaction_id = wanted.transaction_id
    offset 0
) t
