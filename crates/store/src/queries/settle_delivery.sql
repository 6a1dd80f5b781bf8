-- $1 tenant, $2 delivery, $3 lease, $4 status, $5 HTTP status, $6 error, $7 next attempt,
-- $8 when it was settled, $9 now, $10 the latest moment that a put off delivery waits for.
--
-- Settling one pulls the next of its webhook and user up, which may have been put off meanwhile.
-- One that waits longer than that waits for a reason of its own.
with recorded as (
    update webhook_delivery
    set status = $4, attempts = attempts + 1, response_status = $5, error = $6,
        next_attempt_at = coalesce($7, next_attempt_at), settled_at = $8,
        leased_until = null, lease = null
    where tenant_id = $1 and delivery_id = $2 and lease = $3 and status = 'pending'
    returning tenant_id, delivery_id, webhook_id, user_id, status
), pulled as (
    update webhook_delivery d
    set next_attempt_at = least(d.next_attempt_at, $9)
    from recorded r
    where r.status <> 'pending'
      and d.tenant_id = r.tenant_id
      and d.delivery_id = (
          select next.delivery_id from webhook_delivery next
          where next.tenant_id = r.tenant_id and next.webhook_id = r.webhook_id
            and next.user_id = r.user_id and next.status = 'pending'
            and next.delivery_id <> r.delivery_id
          order by next.sequence limit 1)
      and d.status = 'pending' and d.next_attempt_at <= $10
)
select count(*) as "recorded!" from recorded
