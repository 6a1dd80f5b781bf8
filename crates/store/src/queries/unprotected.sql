with tables as (
    select c.oid, c.relname::text as name, c.relrowsecurity, c.relforcerowsecurity
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      and c.relname <> '_sqlx_migrations'
), keys as (
    select k.conrelid, k.conname::text as name, k.contype,
           (select a.attname::text from pg_attribute a
            where a.attrelid = k.conrelid and a.attnum = k.conkey[1]) as first_column
    from pg_constraint k
    where k.contype in ('p', 'f')
)
select t.name || ': row-level security is not enabled' as "problem!"
from tables t where not t.relrowsecurity
union all
select t.name || ': row-level security is not forced'
from tables t where not t.relforcerowsecurity
union all
select t.name || ': no policy'
from tables t where not exists (select 1 from pg_policy p where p.polrelid = t.oid)
union all
select t.name || ': no primary key'
from tables t where not exists (select 1 from keys k where k.conrelid = t.oid and k.contype = 'p')
union all
select t.name || ': key ' || k.name || ' does not begin with tenant_id'
from tables t join keys k on k.conrelid = t.oid
where k.first_column <> 'tenant_id'
  -- A client is above tenants, and a tenant refers to its client.
  and t.name <> 'client' and k.name <> 'tenant_client_id_fkey'
union all
select '_sqlx_migrations: granted to ' || r.rolname
from pg_class c, pg_roles r
where c.relnamespace = 'public'::regnamespace and c.relname = '_sqlx_migrations'
  and r.rolname in ('kontor_runtime', 'kontor_system')
  and has_table_privilege(r.oid, c.oid, 'select, insert, update, delete, truncate')
order by 1
