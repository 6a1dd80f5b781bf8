-- Webhooks, the events they may hear of, and the deliveries that carry one event to one webhook.

create table webhook (
    tenant_id         uuid        not null references tenant on delete cascade,
    webhook_id        uuid        not null,
    url               text        not null,
    method            text        not null check (method in ('POST', 'PUT', 'PATCH')),
    events            text[]      not null,
    active            boolean     not null,
    -- The compatible secret travels in the body; it is sealed at rest all the same.
    secret_sealed     bytea,
    -- Signing keys (Standard Webhooks), sealed; the previous one stays valid during rotation.
    signing_sealed    bytea       not null,
    previous_sealed   bytea,
    previous_until    timestamptz,
    created_at        timestamptz not null,
    updated_at        timestamptz not null,
    primary key (tenant_id, webhook_id)
);

-- Something that happened to a user. `data` is what webhooks are sent, serialised once for all of
-- them. The row outlives its user only without `data` and `custom_user_id`.
create table webhook_event (
    tenant_id              uuid        not null references tenant on delete cascade,
    event_id               uuid        not null,
    user_id                uuid        not null,
    custom_user_id         text,
    event                  text        not null,
    correlation_id         uuid,
    correlation_timestamp  timestamptz,
    data                   text,
    traceparent            text,
    created_at             timestamptz not null,
    primary key (tenant_id, event_id)
);
create index webhook_event_by_user on webhook_event (tenant_id, user_id);
create index webhook_event_by_age on webhook_event (created_at);

-- One event on its way to one webhook. `sequence` keeps the order per webhook and user: a later
-- delivery waits until every earlier one is settled.
create table webhook_delivery (
    tenant_id        uuid        not null,
    delivery_id      uuid        not null,
    webhook_id       uuid        not null,
    event_id         uuid        not null,
    user_id          uuid        not null,
    sequence         bigint      not null generated always as identity,
    event            text        not null,
    status           text        not null
        check (status in ('pending', 'delivered', 'exhausted', 'cancelled')),
    attempts         integer     not null default 0,
    next_attempt_at  timestamptz not null,
    leased_until     timestamptz,
    lease            uuid,
    response_status  smallint,
    error            text,
    created_at       timestamptz not null,
    settled_at       timestamptz,
    primary key (tenant_id, delivery_id),
    foreign key (tenant_id, webhook_id) references webhook on delete cascade,
    foreign key (tenant_id, event_id) references webhook_event on delete cascade
);
create index webhook_delivery_due on webhook_delivery (next_attempt_at) where status = 'pending';
create index webhook_delivery_order on webhook_delivery (tenant_id, webhook_id, user_id, sequence)
    where status = 'pending';
create index webhook_delivery_log on webhook_delivery (tenant_id, webhook_id, sequence desc);
create index webhook_delivery_by_user on webhook_delivery (tenant_id, user_id);
create index webhook_delivery_by_event on webhook_delivery (tenant_id, event_id);
create index webhook_delivery_settled on webhook_delivery (settled_at)
    where settled_at is not null;
