-- Deletes the transactions of the sent accounts ($3) that are not among the sent ones ($4, $5).
delete from transaction stored
where stored.tenant_id = $1 and stored.user_id = $2 and stored.account_id = any($3::text[])
  and not exists (
      select 1 from unnest($4::text[], $5::text[]) as sent (account_id, transaction_id)
      where sent.account_id = stored.account_id and sent.transaction_id = stored.transaction_id)
