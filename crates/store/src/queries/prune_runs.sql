with finished as (
    select correlation_id, result_of,
           row_number() over (order by requested_at desc, correlation_id desc) <= $3 as kept
    from analysis_run
    where tenant_id = $1 and user_id = $2 and status in ('done', 'failed')
)
delete from analysis_run run
using finished
where run.tenant_id = $1 and run.user_id = $2 and run.correlation_id = finished.correlation_id
  and not finished.kept
  and run.snapshot is distinct from (select current_snapshot from app_user
                                     where tenant_id = $1 and user_id = $2)
  and not exists (
      select 1 from finished kept
      where kept.kept and kept.result_of = finished.correlation_id)
