insert into transaction (
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
