-- What users and tenants decide about tags themselves, and who decided each tag.

-- A user's own decisions. They are read and replaced as a whole, so they are one document; `json`
-- keeps it as written.
create table pattern_set (
    tenant_id   uuid        not null,
    user_id     uuid        not null,
    body        json        not null,
    updated_at  timestamptz not null,
    primary key (tenant_id, user_id),
    foreign key (tenant_id, user_id) references app_user on delete cascade
);

-- A tenant's own rules for one kind of user, above the shipped ones. `hash` identifies their text,
-- which is compiled once for each hash.
create table tenant_rules (
    tenant_id   uuid        not null references tenant on delete cascade,
    user_type   text        not null check (user_type in ('person', 'company')),
    source      text        not null,
    hash        text        not null,
    rules       integer     not null check (rules >= 0),
    updated_at  timestamptz not null,
    primary key (tenant_id, user_type)
);

-- Who decided, what the user's patterns add beside the tag, how sure the decision is (of ten
-- thousand), the payment service in between, the merchant behind it, and the spending that a refund
-- gives back. Rows from before say that the shipped rules decided, without confidence; the user's
-- next run fills the rest in.
alter table transaction_tag
    add column origin       text     not null default 'pack'
        check (origin in ('pack', 'tenant', 'user')),
    add column extra_tags   text[]   not null default '{}',
    add column confidence   smallint not null default 0 check (confidence between 0 and 10000),
    add column intermediary text,
    add column merchant     text,
    add column refund_of    text;

alter table tag_history
    add column origin       text     not null default 'pack'
        check (origin in ('pack', 'tenant', 'user')),
    add column extra_tags   text[]   not null default '{}',
    add column refund_of    text;

-- New decisions of a user start a run as well; what made its results includes the tenant's rules.
alter table analysis_run
    add column tenant_rules_hash text,
    drop constraint analysis_run_cause_check,
    add constraint analysis_run_cause_check check (cause in ('upload', 'trigger', 'patterns'));

do $$
declare
    name text;
begin
    foreach name in array array['pattern_set', 'tenant_rules']
    loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy tenant on %I to kontor_runtime
                        using (tenant_id = current_tenant())', name);
        execute format('create policy system on %I to kontor_system using (true)', name);
    end loop;
end $$;

-- Nobody works on these across tenants, so the system role is granted nothing. Patterns go with
-- their user, by the key.
grant select, insert, update on pattern_set to kontor_runtime;
grant select, insert, update, delete on tenant_rules to kontor_runtime;
