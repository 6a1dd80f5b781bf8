insert into transaction as old (
    tenant_id, user_id, account_id, transaction_id, position, amount_minor, currency,
    booking_date, booking_instant, value_date, value_instant, booking_text, purpose,
    partner_name, partner_iban, partner_bic, partner_creditor_id, ultimate_creditor,
    ultimate_debtor, end_to_end_id, mandate_id, merchant_category_code, purpose_code,
    transaction_code)
select $1, $2, sent.*
from unnest($3::text[], $4::text[], $5::integer[], $6::bigint[], $7::text[], $8::date[],
            $9::bigint[], $10::date[], $11::bigint[], $12::text[], $13::text[], $14::text[],
            $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[],
            $21::text[], $22::text[], $23::text[], $24::smallint[]) as sent
on conflict (tenant_id, user_id, account_id, transaction_id) do update set
    position = excluded.position,
    amount_minor = excluded.amount_minor,
    currency = excluded.currency,
    booking_date = excluded.booking_date,
    booking_instant = excluded.booking_instant,
    value_date = excluded.value_date,
    value_instant = excluded.value_instant,
    booking_text = excluded.booking_text,
    purpose = excluded.purpose,
    partner_name = excluded.partner_name,
    partner_iban = excluded.partner_iban,
    partner_bic = excluded.partner_bic,
    partner_creditor_id = excluded.partner_creditor_id,
    ultimate_creditor = excluded.ultimate_creditor,
    ultimate_debtor = excluded.ultimate_debtor,
    end_to_end_id = excluded.end_to_end_id,
    mandate_id = excluded.mandate_id,
    merchant_category_code = excluded.merchant_category_code,
    purpose_code = excluded.purpose_code,
    transaction_code = excluded.transaction_code
-- Uploads overlap; rows that stay as they are are not written again.
where (
    old.position, old.amount_minor, old.currency, old.booking_date, old.booking_instant,
    old.value_date, old.value_instant, old.booking_text, old.purpose, old.partner_name,
    old.partner_iban, old.partner_bic, old.partner_creditor_id, old.ultimate_creditor,
    old.ultimate_debtor, old.end_to_end_id, old.mandate_id, old.merchant_category_code,
    old.purpose_code, old.transaction_code
) is distinct from (
    excluded.position, excluded.amount_minor, excluded.currency, excluded.booking_date,
    excluded.booking_instant, excluded.value_date, excluded.value_instant,
    excluded.booking_text, excluded.purpose, excluded.partner_name, excluded.partner_iban,
    excluded.partner_bic, excluded.partner_creditor_id, excluded.ultimate_creditor,
    excluded.ultimate_debtor, excluded.end_to_end_id, excluded.mandate_id,
    excluded.merchant_category_code, excluded.purpose_code, excluded.transaction_code
)
