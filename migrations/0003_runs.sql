-- Analysis runs and what they produce.

-- Orders the data snapshots that runs were computed from; a larger number saw newer data.
create sequence run_snapshot;

-- One analysis run; its id is the correlation id that the caller was given.
--
-- A worker claims a run together with every other run of the user that waits, because it loads
-- the newest data for all of them: `leader` is the run whose message is being worked on, `claim`
-- the token of that attempt. Only the holder of the token may finish the run.
create table analysis_run (
    tenant_id       uuid        not null,
    user_id         uuid        not null,
    correlation_id  uuid        not null,
    status          text        not null check (status in ('queued', 'running', 'done', 'failed')),
    cause           text        not null check (cause in ('upload', 'trigger')),
    requested_at    timestamptz not null,
    started_at      timestamptz,
    finished_at     timestamptz,
    leader          uuid,
    claim           uuid,
    attempts        integer     not null default 0,
    snapshot        bigint,
    -- The run whose stored results answer for this one: itself, or the newer one that superseded it.
    result_of       uuid,
    as_of           date,
    engine_version  text,
    rule_pack_hash  text,
    taxonomy_hash   text,
    findings        text,
    error           text,
    -- When a run that nobody finished was last put back into the outbox.
    reemitted_at    timestamptz,
    traceparent     text,
    request_id      text,
    primary key (tenant_id, user_id, correlation_id),
    foreign key (tenant_id, user_id) references app_user on delete cascade
) partition by hash (user_id);
create index analysis_run_open on analysis_run (status, requested_at)
    where status in ('queued', 'running');
create index analysis_run_by_correlation on analysis_run (correlation_id);
create index analysis_run_by_age on analysis_run (tenant_id, user_id, requested_at desc);

-- One module's answer of one run, serialised once, as it is served and sent.
create table analysis_result (
    tenant_id       uuid        not null,
    user_id         uuid        not null,
    correlation_id  uuid        not null,
    module          text        not null,
    body            text        not null,
    primary key (tenant_id, user_id, correlation_id, module),
    foreign key (tenant_id, user_id, correlation_id) references analysis_run on delete cascade
) partition by hash (user_id);

-- The current tag of each transaction. `snapshot` is the one that last changed it, which is what
-- the difference since a correlation id selects on. Who deletes a transaction deletes its tag.
create table transaction_tag (
    tenant_id       uuid        not null,
    user_id         uuid        not null,
    account_id      text        not null,
    transaction_id  text        not null,
    tag             text        not null,
    rule_id         text        not null,
    evidence        text        not null,
    snapshot        bigint      not null,
    position        bigint      not null,
    created_at      timestamptz not null,
    primary key (tenant_id, user_id, account_id, transaction_id),
    foreign key (tenant_id, user_id) references app_user on delete cascade
) partition by hash (user_id);
create index transaction_tag_by_position on transaction_tag (tenant_id, user_id, position);

-- Every tag a transaction ever had, and the run that set it.
create table tag_history (
    tenant_id       uuid        not null,
    user_id         uuid        not null,
    account_id      text        not null,
    transaction_id  text        not null,
    snapshot        bigint      not null,
    correlation_id  uuid        not null,
    tag             text        not null,
    rule_id         text        not null,
    created_at      timestamptz not null,
    primary key (tenant_id, user_id, account_id, transaction_id, snapshot),
    foreign key (tenant_id, user_id) references app_user on delete cascade
) partition by hash (user_id);
