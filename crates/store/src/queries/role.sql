-- What the connected role could do: $1 is the group role it needs, $2 the one it must not have.
-- Membership counts like the thing itself, because `set role` is one statement away.
select
    current_user::text as "role!",
    coalesce((select bool_or(pg_has_role(current_user, r.oid, 'member'))
              from pg_roles r where r.rolsuper), false) as "is_superuser!",
    coalesce((select bool_or(pg_has_role(current_user, r.oid, 'member'))
              from pg_roles r where r.rolbypassrls), false) as "bypasses_policies!",
    coalesce((select bool_or(pg_has_role(current_user, c.relowner, 'member'))
              from pg_class c
              where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')),
             false) as "owns_tables!",
    coalesce((select pg_has_role(current_user, r.oid, 'member')
              from pg_roles r where r.rolname = $1::text), false) as "in_wanted!",
    coalesce((select pg_has_role(current_user, r.oid, 'member')
              from pg_roles r where r.rolname = $2::text), false) as "in_unwanted!"
