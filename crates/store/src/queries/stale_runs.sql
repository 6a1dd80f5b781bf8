-- $1 now, $2 the moment before which a run counts as hanging, $3 how many.
--
-- A running run is woken through its leader, whose message is the one that can take it over. A
-- user with a message that still waits in the outbox is left alone.
with hanging as materialized (
    select tenant_id, user_id, correlation_id
    from analysis_run open
    where status in ('queued', 'running')
      and (status = 'queued' or leader = correlation_id)
      and requested_at < $2
      and coalesce(started_at, requested_at) < $2
      and coalesce(reemitted_at, requested_at) < $2
      and not exists (
          select 1 from outbox
          where outbox.tenant_id = open.tenant_id and outbox.user_id = open.user_id
            and outbox.published_at is null)
    order by requested_at
    limit $3
    for update skip locked
)
update analysis_run run
set reemitted_at = $1
from hanging
where run.tenant_id = hanging.tenant_id and run.user_id = hanging.user_id
  and run.correlation_id = hanging.correlation_id
returning run.tenant_id, run.user_id, run.correlation_id, run.traceparent
