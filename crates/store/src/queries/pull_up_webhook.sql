-- $1 tenant, $2 webhook, $3 now, $4 the latest moment that a put off delivery waits for.
--
-- The oldest pending delivery of each user; those behind it follow as it is settled.
update webhook_delivery d
set next_attempt_at = $3
where d.tenant_id = $1 and d.webhook_id = $2 and d.status = 'pending'
  and d.next_attempt_at > $3 and d.next_attempt_at <= $4
  and d.sequence = (
      select oldest.sequence from webhook_delivery oldest
      where oldest.tenant_id = d.tenant_id and oldest.webhook_id = d.webhook_id
        and oldest.user_id = d.user_id and oldest.status = 'pending'
      order by oldest.sequence limit 1)
