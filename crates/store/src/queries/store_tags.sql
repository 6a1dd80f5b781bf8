-- $1 tenant, $2 user, $3 the run, $4 its snapshot, $5 now, $6.. the tags by column.
--
-- A row is written only when something differs. Its snapshot moves only when what was decided, or
-- who decided it, does, because that is what counts as a change; a new place in the list or another
-- confidence does not. Nor does the name of a user's pattern, which is its place among the patterns.
with sent as (
    select s.account_id, s.transaction_id, s.tag, s.rule_id, s.evidence, s.position, s.origin,
           string_to_array(s.extra_tags, E'\x01') as extra_tags, s.confidence, s.intermediary,
           s.merchant, s.refund_of
    from unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[],
                $12::text[], $13::text[], $14::smallint[], $15::text[], $16::text[], $17::text[])
         as s (account_id, transaction_id, tag, rule_id, evidence, position, origin, extra_tags,
               confidence, intermediary, merchant, refund_of)
), written as (
    insert into transaction_tag as old (
        tenant_id, user_id, account_id, transaction_id, tag, rule_id, evidence, snapshot,
        position, created_at, origin, extra_tags, confidence, intermediary, merchant, refund_of)
    select $1, $2, sent.account_id, sent.transaction_id, sent.tag, sent.rule_id, sent.evidence, $4,
           sent.position, $5, sent.origin, sent.extra_tags, sent.confidence, sent.intermediary,
           sent.merchant, sent.refund_of
    from sent
    on conflict (tenant_id, user_id, account_id, transaction_id) do update set
        (snapshot, created_at) = (
            select case when same.decision then old.snapshot else excluded.snapshot end,
                   case when same.decision then old.created_at else excluded.created_at end
            from (select (old.tag, old.origin, old.extra_tags, old.refund_of)
                             is not distinct from (excluded.tag, excluded.origin,
                                                   excluded.extra_tags, excluded.refund_of)
                         and (old.rule_id = excluded.rule_id or excluded.origin = 'user')
                             as decision) same),
        tag = excluded.tag,
        rule_id = excluded.rule_id,
        evidence = excluded.evidence,
        position = excluded.position,
        origin = excluded.origin,
        extra_tags = excluded.extra_tags,
        confidence = excluded.confidence,
        intermediary = excluded.intermediary,
        merchant = excluded.merchant,
        refund_of = excluded.refund_of
    where (old.tag, old.rule_id, old.evidence, old.position, old.origin, old.extra_tags,
           old.confidence, old.intermediary, old.merchant, old.refund_of)
          is distinct from
          (excluded.tag, excluded.rule_id, excluded.evidence, excluded.position, excluded.origin,
           excluded.extra_tags, excluded.confidence, excluded.intermediary, excluded.merchant,
           excluded.refund_of)
    returning account_id, transaction_id, tag, rule_id, evidence, snapshot, position, created_at,
              origin, extra_tags, confidence, intermediary, merchant, refund_of
), recorded as (
    insert into tag_history (
        tenant_id, user_id, account_id, transaction_id, snapshot, correlation_id, tag, rule_id,
        created_at, origin, extra_tags, refund_of)
    select $1, $2, account_id, transaction_id, snapshot, $3, tag, rule_id, created_at, origin,
           extra_tags, refund_of
    from written where snapshot = $4
    on conflict (tenant_id, user_id, account_id, transaction_id, snapshot) do nothing
)
select account_id as "account_id!", transaction_id as "transaction_id!", tag as "tag!",
       rule_id as "rule_id!", origin as "origin!", extra_tags as "extra_tags!",
       evidence as "evidence!", confidence as "confidence!", intermediary as "intermediary?",
       merchant as "merchant?", refund_of as "refund_of?", created_at as "created_at!"
from written where snapshot = $4
order by position
