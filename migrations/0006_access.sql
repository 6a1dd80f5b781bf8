-- Partitions, row-level security and grants for every table above.
--
-- The policies are written by a loop so that no table can be forgotten; a test walks the catalogue
-- and fails on a table without them. The roles exist before this runs: `kontor migrate` makes them.

do $$
declare
    large text;
    part integer;
begin
    foreach large in array array['account', 'transaction', 'analysis_run', 'analysis_result',
                                 'transaction_tag', 'tag_history']
    loop
        for part in 0..7 loop
            execute format('create table %I partition of %I for values with (modulus 8, remainder %s)',
                           large || '_' || part, large, part);
        end loop;
    end loop;
end $$;

do $$
declare
    name text;
begin
    for name in
        select relname from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
          and relname <> '_sqlx_migrations'
    loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        if name = 'client' then
            execute format('create policy own on %I to kontor_runtime
                            using (client_id = current_client())', name);
        elsif name = 'tenant' then
            execute format('create policy own on %I to kontor_runtime
                            using (client_id = current_client() or tenant_id = current_tenant())
                            with check (client_id = current_client())', name);
        else
            execute format('create policy tenant on %I to kontor_runtime
                            using (tenant_id = current_tenant())', name);
        end if;
        execute format('create policy system on %I to kontor_system using (true)', name);
    end loop;
end $$;

revoke create on schema public from public;
grant usage on schema public to kontor_runtime, kontor_system;

-- Each role may do what its queries do and nothing else; a test holds the whole table. Rows that
-- go with their user, run or webhook are deleted by the keys, for which no grant is needed.

-- The runtime role cannot touch clients beyond reading its own, rewrite what is history, nor
-- empty a table.
grant select on client to kontor_runtime;
grant select, insert on tenant, analysis_result, tag_history to kontor_runtime;
grant select, insert, update, delete on
    app_user, idempotency, account, transaction, analysis_run, transaction_tag, webhook
    to kontor_runtime;
grant select, insert, update on webhook_event, webhook_delivery to kontor_runtime;
grant select, insert, delete on outbox, inbox to kontor_runtime;
grant select, delete on dead_letter to kontor_runtime;
grant usage on sequence run_snapshot to kontor_runtime;

-- The system role sees no user, account, transaction, result or tag.
grant select, insert, update on client to kontor_system;
grant select on tenant, webhook to kontor_system;
grant select, insert, update, delete on outbox, dead_letter to kontor_system;
grant select, update on analysis_run to kontor_system;
grant select, update, delete on webhook_delivery to kontor_system;
grant select, delete on inbox, idempotency, webhook_event to kontor_system;

-- Lets the runtime and system roles compare the schema with the one they were built for, without
-- a grant on the migration table itself. In plpgsql, because the table's owner is the migrator's.
create function applied_migrations() returns table (version bigint, checksum bytea)
    language plpgsql stable security definer set search_path = public, pg_temp
as $$
begin
    return query select m.version, m.checksum from _sqlx_migrations m where m.success;
end $$;
revoke execute on function applied_migrations() from public;
grant execute on function applied_migrations() to kontor_runtime, kontor_system;
