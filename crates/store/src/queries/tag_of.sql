-- $1 tenant, $2 user, $3 transaction, $4 account or null.
--
-- Driven by the user's few accounts, so that each is one look-up by key.
select tagged.account_id, tagged.transaction_id, tagged.tag, tagged.rule_id, tagged.origin,
       tagged.extra_tags, tagged.evidence, tagged.confidence, tagged.intermediary, tagged.merchant,
       tagged.refund_of, tagged.created_at
from account
join transaction_tag tagged
  on tagged.tenant_id = account.tenant_id and tagged.user_id = account.user_id
 and tagged.account_id = account.account_id
where account.tenant_id = $1 and account.user_id = $2
  and tagged.tenant_id = $1 and tagged.user_id = $2 and tagged.transaction_id = $3
  and ($4::text is null or account.account_id = $4)
order by account.position, account.account_id
limit 1
