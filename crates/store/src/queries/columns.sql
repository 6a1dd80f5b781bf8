-- Every column of every table outside the catalogue; partitions are read through their parent.
select format('%I.%I', n.nspname, c.relname) as "table_name!", a.attname::text as "column_name!",
       a.atttypid = 'bytea'::regtype as "is_binary!"
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind in ('r', 'p') and not c.relispartition
  and n.nspname not in ('pg_catalog', 'information_schema')
order by 1, a.attnum
