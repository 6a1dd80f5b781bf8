-- Accounts and transactions as uploaded. Money is whole minor units of its currency. Instants are
-- kept as sent (Unix seconds) beside the Berlin calendar day that analysis uses. Absent texts
-- are ''. `securities` and `standing_orders` are shown and not analysed; `json` (not `jsonb`)
-- keeps their numbers as written.

create table account (
    tenant_id               uuid        not null,
    user_id                 uuid        not null,
    account_id              text        not null,
    position                integer     not null,
    origin                  text        not null check (origin in ('upload', 'bank')),
    account_number          text        not null,
    iban                    text        not null,
    bic                     text        not null,
    bank_code               text        not null,
    bank_name               text        not null,
    name                    text        not null,
    owner                   text        not null,
    account_type            text        not null,
    currency                text        not null,
    balance_minor           bigint      not null,
    overdraft_minor         bigint,
    overdraft_available     boolean,
    credit_line_minor       bigint,
    spending_limit_minor    bigint,
    icon                    text        not null,
    securities              json,
    standing_orders         json,
    updated_at              timestamptz not null,
    primary key (tenant_id, user_id, account_id),
    foreign key (tenant_id, user_id) references app_user on delete cascade
) partition by hash (user_id);

-- Transactions refer to their user, not to their account: checking 50,000 rows of an upload against
-- a partitioned table, and deleting them one by one through a cascade, takes longer than all the
-- rest. Who deletes an account deletes its transactions.
create table transaction (
    tenant_id               uuid        not null,
    user_id                 uuid        not null,
    account_id              text        not null,
    transaction_id          text        not null,
    position                integer     not null,
    amount_minor            bigint      not null,
    currency                text        not null,
    booking_date            date        not null,
    booking_instant         bigint      not null,
    value_date              date,
    value_instant           bigint,
    booking_text            text        not null,
    purpose                 text        not null,
    partner_name            text        not null,
    partner_iban            text        not null,
    partner_bic             text        not null,
    partner_creditor_id     text        not null,
    ultimate_creditor       text        not null,
    ultimate_debtor         text        not null,
    end_to_end_id           text        not null,
    mandate_id              text        not null,
    merchant_category_code  text        not null,
    purpose_code            text        not null,
    transaction_code        smallint,
    primary key (tenant_id, user_id, account_id, transaction_id),
    foreign key (tenant_id, user_id) references app_user on delete cascade
) partition by hash (user_id);
