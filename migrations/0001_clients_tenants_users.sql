-- Clients, their tenants, and the end users of a tenant.
--
-- Three kinds of people reach this schema. The owner migrates and nothing else. The runtime role
-- (a member of kontor_runtime) serves requests and jobs of one tenant at a time. The system role
-- (a member of kontor_system) does the work that spans tenants: relaying the outbox, delivering
-- webhooks, administering clients. Row-level security is forced on every table, so that a
-- forgotten predicate returns nothing instead of another tenant's rows.
--
-- `app.tenant_id` and `app.client_id` are set for one transaction only; after it they read as ''.

create function current_tenant() returns uuid
    language sql stable parallel safe
    return nullif(current_setting('app.tenant_id', true), '')::uuid;

create function current_client() returns text
    language sql stable parallel safe
    return nullif(current_setting('app.client_id', true), '');

-- An API client of the operator. Its secret is known only as an Argon2id hash.
create table client (
    client_id    text        not null primary key,
    secret_hash  text        not null,
    scopes       text[]      not null,
    created_at   timestamptz not null,
    updated_at   timestamptz not null
);

-- A tenant is a name under a client: equal names under two clients are two tenants.
create table tenant (
    tenant_id    uuid        not null primary key,
    client_id    text        not null references client on delete cascade,
    name         text        not null,
    created_at   timestamptz not null,
    constraint tenant_client_name_key unique (client_id, name)
);

-- An end user. `current_*` name the newest finished run, whose tags are the current ones.
create table app_user (
    tenant_id           uuid        not null references tenant on delete cascade,
    user_id             uuid        not null,
    user_type           text        not null check (user_type in ('person', 'company')),
    custom_user_id      text,
    name                text,
    automatic_analysis  text        not null check (automatic_analysis in ('active', 'suspended')),
    scopes              text[]      not null,
    created_at          timestamptz not null,
    current_snapshot    bigint      not null default 0,
    primary key (tenant_id, user_id)
);
create index app_user_by_age on app_user (tenant_id, created_at, user_id);

-- Answers of writes that carried an Idempotency-Key, kept for a day so that a retry finds them.
-- The answer (headers and body) is sealed: it can hold a secret that is shown only once. Status 0
-- marks a write that is still under way.
create table idempotency (
    tenant_id     uuid        not null references tenant on delete cascade,
    operation     text        not null,
    key           text        not null,
    request_hash  bytea       not null,
    user_id       uuid,
    status        smallint    not null,
    answer_sealed bytea       not null,
    created_at    timestamptz not null,
    primary key (tenant_id, operation, key)
);
create index idempotency_by_user on idempotency (tenant_id, user_id);
create index idempotency_by_age on idempotency (created_at);
