//! What webhooks hear of a run, once for every correlation id.

use domain::{Sensitive, UserId};
use store::{ClaimedRun, NewEvent, StoreError, TenantTx};
use wire::correlation::{AnalysisFailedEvent, AnalysisFinishedEvent};
use wire::event::{Event, Form, Topic};
use wire::scope::{Scope, ScopeSet};

use crate::compute::written;
use crate::error::PipelineError;

/// What a client is told about a failed run; the cause is the operator's business.
const FAILED_MESSAGE: &str =
    "the analysis could not be completed, there are no results for this correlation id";

/// The user that events speak of.
pub(crate) struct Addressee {
    pub(crate) user_id: UserId,
    pub(crate) custom_user_id: Option<Sensitive<String>>,
    pub(crate) scopes: ScopeSet,
}

impl Addressee {
    pub(crate) fn of(user: &store::User) -> Self {
        Self {
            user_id: user.id,
            custom_user_id: user.custom_user_id.clone(),
            scopes: ScopeSet::of_known(&user.scopes),
        }
    }

    /// The scopes of this user that something is computed for.
    fn computed(&self) -> Vec<String> {
        [Scope::Categorization]
            .into_iter()
            .filter(|scope| self.scopes.allows(*scope))
            .map(|scope| scope.as_str().to_owned())
            .collect()
    }

    /// Announces that a run is done, with the answer of the module if the user has it.
    pub(crate) async fn finished(
        &self,
        tx: &mut TenantTx,
        run: &ClaimedRun,
        categorization: Option<&str>,
    ) -> Result<(), PipelineError> {
        if let Some(body) = categorization {
            self.announce(tx, run, Topic::Categorization, body).await?;
        }
        let finished = AnalysisFinishedEvent {
            correlation_id: run.correlation_id.to_string(),
            scopes: self.computed(),
        };
        let data = written("analysis.finished", &finished)?;
        Ok(self
            .announce(tx, run, Topic::AnalysisFinished, &data)
            .await?)
    }

    /// Announces that a run failed.
    pub(crate) async fn failed(
        &self,
        tx: &mut TenantTx,
        run: &ClaimedRun,
    ) -> Result<(), PipelineError> {
        let failed = AnalysisFailedEvent {
            correlation_id: run.correlation_id.to_string(),
            message: FAILED_MESSAGE.to_owned(),
        };
        let data = written("analysis.failed", &failed)?;
        Ok(self.announce(tx, run, Topic::AnalysisFailed, &data).await?)
    }

    /// Emits every form of an event: the one with data, then its notification.
    async fn announce(
        &self,
        tx: &mut TenantTx,
        run: &ClaimedRun,
        topic: Topic,
        data: &str,
    ) -> Result<(), StoreError> {
        for event in Event::forms(topic) {
            let data = match event.form() {
                Form::Data => Some(Sensitive::from(data)),
                Form::Notification => None,
            };
            tx.emit_event(&NewEvent {
                user_id: self.user_id,
                custom_user_id: self.custom_user_id.clone(),
                event: event.to_string(),
                correlation: Some((run.correlation_id, run.requested_at)),
                data,
                traceparent: run.trace.traceparent.clone(),
            })
            .await?;
        }
        Ok(())
    }
}
