select account_id, account_number, iban, bic, bank_code, bank_name, name, owner, account_type,
       currency, balance_minor, overdraft_minor, overdraft_available, credit_line_minor,
       spending_limit_minor, icon, securities::text as securities,
       standing_orders::text as standing_orders
from account
where tenant_id = $1 and user_id = $2
order by position, account_id
limit $3
