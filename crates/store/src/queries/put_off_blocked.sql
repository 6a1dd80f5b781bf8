-- $1 now, $2 until when, $3 how many are looked at.
--
-- Puts off what is due and cannot leave: deliveries behind an older pending one of their webhook
-- and user, and those of inactive webhooks. Who takes the obstacle away pulls the next one up; a
-- race between the two costs the delivery the wait at most. Rows that someone else holds are left.
with candidate as (
    select tenant_id, delivery_id, webhook_id, user_id, sequence
    from webhook_delivery
    where status = 'pending' and next_attempt_at <= $1
      and (leased_until is null or leased_until <= $1)
    order by next_attempt_at
    limit $3
), blocked as (
    select d.tenant_id, d.delivery_id
    from candidate c
    join webhook_delivery d on d.tenant_id = c.tenant_id and d.delivery_id = c.delivery_id
    where d.status = 'pending' and d.next_attempt_at <= $1
      and (d.leased_until is null or d.leased_until <= $1)
      and (c.sequence > (
               select oldest.sequence from webhook_delivery oldest
               where oldest.tenant_id = c.tenant_id and oldest.webhook_id = c.webhook_id
                 and oldest.user_id = c.user_id and oldest.status = 'pending'
               order by oldest.sequence limit 1)
           or not (select w.active from webhook w
                   where w.tenant_id = c.tenant_id and w.webhook_id = c.webhook_id))
    for update of d skip locked
)
update webhook_delivery d
set next_attempt_at = $2
from blocked
where d.tenant_id = blocked.tenant_id and d.delivery_id = blocked.delivery_id
