//! `kontor runs`: what became of an analysis, and why one failed.

use anyhow::Result;
use domain::CorrelationId;
use store::{RunOverview, RunStatus, SystemStore};

use super::{not_found, or_none, typed, with_system};
use crate::command::RunsCommand;
use crate::config::Config;
use crate::output;

/// Runs a command.
///
/// # Errors
/// There is no such run, or the database does not answer.
pub(crate) async fn run(config: &Config, command: RunsCommand) -> Result<()> {
    match command {
        RunsCommand::Show { correlation_id } => {
            let id: CorrelationId = typed("correlation id", &correlation_id)?;
            with_system(config, |store, _| Box::pin(show(store, id))).await
        }
        RunsCommand::List { limit } => {
            with_system(config, |store, _| Box::pin(list(store, limit))).await
        }
    }
}

async fn show(store: SystemStore, id: CorrelationId) -> Result<()> {
    let Some(found) = store.find_run(id).await? else {
        return Err(not_found("run").into());
    };
    output::fields(fields(&found))?;
    Ok(())
}

async fn list(store: SystemStore, limit: u32) -> Result<()> {
    for found in store.failed_runs(limit).await? {
        let run = &found.run;
        output::line(&format!(
            "{}\tfinished={}\tattempts={}\tclient={}\ttenant={}\tuser={}\terror={}",
            run.correlation_id,
            or_none(run.finished_at.map(|at| at.to_rfc3339())),
            run.attempts,
            found.client_id,
            found.tenant_name,
            found.user_id,
            or_none(run.error.as_deref()),
        ))?;
    }
    Ok(())
}

fn fields(found: &RunOverview) -> Vec<(&'static str, String)> {
    let run = &found.run;
    let moment = |at: Option<chrono::DateTime<chrono::Utc>>| or_none(at.map(|at| at.to_rfc3339()));
    let status = match run.status {
        RunStatus::Failed => "failed (its correlation stays 404)",
        other @ (RunStatus::Queued | RunStatus::Running | RunStatus::Done) => other.as_str(),
    };
    vec![
        ("correlation", run.correlation_id.to_string()),
        ("status", status.to_owned()),
        ("error", or_none(run.error.as_deref())),
        ("client", found.client_id.clone()),
        ("tenant", found.tenant_name.clone()),
        ("user", found.user_id.to_string()),
        ("cause", run.cause.as_str().to_owned()),
        ("requested", run.requested_at.to_rfc3339()),
        ("started", moment(run.started_at)),
        ("finished", moment(run.finished_at)),
        ("attempts", run.attempts.to_string()),
        ("leader", or_none(run.leader)),
        ("answered by", or_none(run.result_of)),
        ("as of", or_none(run.as_of)),
        ("engine", or_none(run.engine_version.as_deref())),
        ("rule pack", or_none(run.rule_pack_hash.as_deref())),
        ("tenant rules", or_none(run.tenant_rules_hash.as_deref())),
        ("taxonomy", or_none(run.taxonomy_hash.as_deref())),
        ("request id", or_none(run.trace.request_id.as_deref())),
        ("traceparent", or_none(run.trace.traceparent.as_deref())),
    ]
}
