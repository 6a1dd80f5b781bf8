-- $1 now, $2 end of the lease, $3 its token, $4 how many, $5 how many are looked at.
--
-- Only the oldest pending delivery of a webhook and user can be due. Locking re-checks the row
-- itself, so two relays never hold the same one; a younger one becomes due only after the older
-- is settled, which both see. The oldest is asked for as a value, which keeps it one look into the
-- index a row whatever the planner believes about the table.
with candidate as (
    select tenant_id, delivery_id, webhook_id, user_id, sequence
    from webhook_delivery
    where status = 'pending' and next_attempt_at <= $1
      and (leased_until is null or leased_until <= $1)
    order by next_attempt_at
    limit $5
), due as (
    select d.tenant_id, d.delivery_id
    from candidate c
    join webhook_delivery d on d.tenant_id = c.tenant_id and d.delivery_id = c.delivery_id
    where d.status = 'pending' and d.next_attempt_at <= $1
      and (d.leased_until is null or d.leased_until <= $1)
      and (select w.active from webhook w
           where w.tenant_id = c.tenant_id and w.webhook_id = c.webhook_id)
      and c.sequence = (
          select oldest.sequence from webhook_delivery oldest
          where oldest.tenant_id = c.tenant_id and oldest.webhook_id = c.webhook_id
            and oldest.user_id = c.user_id and oldest.status = 'pending'
          order by oldest.sequence limit 1)
    order by d.next_attempt_at, d.sequence
    limit $4
    for update of d skip locked
), leased as (
    update webhook_delivery d
    set leased_until = $2, lease = $3
    from due
    where d.tenant_id = due.tenant_id and d.delivery_id = due.delivery_id
    returning d.tenant_id, d.delivery_id, d.webhook_id, d.event_id, d.user_id, d.sequence,
              d.attempts
)
select leased.tenant_id as "tenant_id!", t.name as "tenant_name!", t.client_id as "client_id!",
       leased.delivery_id as "delivery_id!", $3::uuid as "lease!", leased.attempts as "attempts!",
       leased.sequence as "sequence!", w.webhook_id as "webhook_id!", w.url as "url!",
       w.method as "method!", w.secret_sealed as "secret_sealed?",
       w.signing_sealed as "signing_sealed!", w.previous_sealed as "previous_sealed?",
       w.previous_until as "previous_until?", e.event_id as "event_id!", e.event as "event!",
       leased.user_id as "user_id!", e.custom_user_id as "custom_user_id?",
       e.correlation_id as "correlation_id?", e.correlation_timestamp as "correlation_timestamp?",
       e.data as "data?", e.traceparent as "traceparent?", e.created_at as "created_at!"
from leased
join tenant t on t.tenant_id = leased.tenant_id
join webhook w on w.tenant_id = leased.tenant_id and w.webhook_id = leased.webhook_id
join webhook_event e on e.tenant_id = leased.tenant_id and e.event_id = leased.event_id
