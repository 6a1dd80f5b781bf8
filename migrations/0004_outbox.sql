-- Messages on their way to workers, written in the transaction of the change they speak of.
-- Payloads hold identifiers, never personal data. A relay leases unpublished rows, publishes them
-- and marks them; a crash in between publishes twice, never not at all.
create table outbox (
    tenant_id     uuid        not null references tenant on delete cascade,
    message_id    uuid        not null,
    user_id       uuid        not null,
    topic         text        not null,
    payload       jsonb       not null,
    traceparent   text,
    created_at    timestamptz not null,
    not_before    timestamptz not null,
    leased_until  timestamptz,
    attempts      integer     not null default 0,
    published_at  timestamptz,
    primary key (tenant_id, message_id)
);
create index outbox_by_user on outbox (tenant_id, user_id);
create index outbox_waiting on outbox (not_before) where published_at is null;
create index outbox_published on outbox (published_at) where published_at is not null;

-- Messages whose effect is done, recorded in the transaction of that effect.
create table inbox (
    tenant_id    uuid        not null references tenant on delete cascade,
    message_id   uuid        not null,
    user_id      uuid        not null,
    consumed_at  timestamptz not null,
    primary key (tenant_id, message_id)
);
create index inbox_by_user on inbox (tenant_id, user_id);
create index inbox_by_age on inbox (consumed_at);

-- Messages that could not be handled, for an operator to inspect and replay. `json`, because a
-- poisoned payload may hold what `jsonb` refuses.
create table dead_letter (
    tenant_id     uuid        not null references tenant on delete cascade,
    message_id    uuid        not null,
    user_id       uuid        not null,
    topic         text        not null,
    payload       json        not null,
    traceparent   text,
    error         text        not null,
    died_at       timestamptz not null,
    replayed_at   timestamptz,
    primary key (tenant_id, message_id)
);
create index dead_letter_by_user on dead_letter (tenant_id, user_id);
