-- A stored account keeps its place; new ones go behind all stored ones, in the order sent.
insert into account (
    tenant_id, user_id, account_id, position, origin, account_number, iban, bic, bank_code,
    bank_name, name, owner, account_type, currency, balance_minor, overdraft_minor,
    overdraft_available, credit_line_minor, spending_limit_minor, icon, securities,
    standing_orders, updated_at)
select
    $1, $2, sent.account_id,
    (select coalesce(max(stored.position) + 1, 0) from account stored
     where stored.tenant_id = $1 and stored.user_id = $2) + sent.ordinality::integer - 1,
    'upload', sent.account_number, sent.iban, sent.bic, sent.bank_code, sent.bank_name, sent.name,
    sent.owner, sent.account_type, sent.currency, sent.balance_minor, sent.overdraft_minor,
    sent.overdraft_available, sent.credit_line_minor, sent.spending_limit_minor, sent.icon,
    sent.securities::json, sent.standing_orders::json, $3
from unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
            $11::text[], $12::text[], $13::text[], $14::bigint[], $15::bigint[], $16::boolean[],
            $17::bigint[], $18::bigint[], $19::text[], $20::text[], $21::text[])
     with ordinality as sent (
         account_id, account_number, iban, bic, bank_code, bank_name, name, owner, account_type,
         currency, balance_minor, overdraft_minor, overdraft_available, credit_line_minor,
         spending_limit_minor, icon, securities, standing_orders, ordinality)
on conflict (tenant_id, user_id, account_id) do update set
    account_number = excluded.account_number,
    iban = excluded.iban,
    bic = excluded.bic,
    bank_code = excluded.bank_code,
    bank_name = excluded.bank_name,
    name = excluded.name,
    owner = excluded.owner,
    account_type = excluded.account_type,
    currency = excluded.currency,
    balance_minor = excluded.balance_minor,
    overdraft_minor = excluded.overdraft_minor,
    overdraft_available = excluded.overdraft_available,
    credit_line_minor = excluded.credit_line_minor,
    spending_limit_minor = excluded.spending_limit_minor,
    icon = excluded.icon,
    securities = excluded.securities,
    standing_orders = excluded.standing_orders,
    updated_at = excluded.updated_at
