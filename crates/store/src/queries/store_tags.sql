-- $1 tenant, $2 user, $3 the run, $4 its snapshot, $5 now, $6.. the tags by column.
--
-- A row is written only when something differs. Its snapshot moves only when tag or rule do,
-- because that is what counts as a change; a new place in the list does not.
with written as (
    insert into transaction_tag as old (
        tenant_id, user_id, account_id, transaction_id, tag, rule_id, evidence, snapshot,
        position, created_at)
    select $1, $2, sent.account_id, sent.transaction_id, sent.tag, sent.rule_id, sent.evidence, $4,
           sent.position, $5
    from unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[])
         as sent (account_id, transaction_id, tag, rule_id, evidence, position)
    on conflict (tenant_id, user_id, account_id, transaction_id) do update set
        snapshot = case when (old.tag, old.rule_id) = (excluded.tag, excluded.rule_id)
                        then old.snapshot else excluded.snapshot end,
        created_at = case when (old.tag, old.rule_id) = (excluded.tag, excluded.rule_id)
                          then old.created_at else excluded.created_at end,
        tag = excluded.tag,
        rule_id = excluded.rule_id,
        evidence = excluded.evidence,
        position = excluded.position
    where (old.tag, old.rule_id, old.evidence, old.position)
          is distinct from (excluded.tag, excluded.rule_id, excluded.evidence, excluded.position)
    returning account_id, transaction_id, tag, rule_id, evidence, snapshot, position, created_at
), recorded as (
    insert into tag_history (
        tenant_id, user_id, account_id, transaction_id, snapshot, correlation_id, tag, rule_id,
        created_at)
    select $1, $2, account_id, transaction_id, snapshot, $3, tag, rule_id, created_at
    from written where snapshot = $4
    on conflict (tenant_id, user_id, account_id, transaction_id, snapshot) do nothing
)
select account_id as "account_id!", transaction_id as "transaction_id!", tag as "tag!",
       rule_id as "rule_id!", evidence as "evidence!", created_at as "created_at!"
from written where snapshot = $4
order by position
