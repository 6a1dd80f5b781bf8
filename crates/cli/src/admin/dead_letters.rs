//! `kontor dead-letters`: messages that nobody could handle.

use anyhow::Result;
use domain::MessageId;
use store::SystemStore;

use super::{not_found, or_none, typed, with_system};
use crate::command::DeadLettersCommand;
use crate::config::Config;
use crate::output;

/// Runs a command.
///
/// # Errors
/// There is no such dead letter, it was replayed already, or the database does not answer.
pub(crate) async fn run(config: &Config, command: DeadLettersCommand) -> Result<()> {
    match command {
        DeadLettersCommand::List { limit } => {
            with_system(config, |store, _| Box::pin(list(store, limit))).await
        }
        DeadLettersCommand::Show { message_id } => {
            let id: MessageId = typed("message id", &message_id)?;
            with_system(config, |store, _| Box::pin(show(store, id))).await
        }
        DeadLettersCommand::Replay { message_id } => {
            let id: MessageId = typed("message id", &message_id)?;
            with_system(config, |store, _| Box::pin(replay(store, id))).await
        }
    }
}

async fn list(store: SystemStore, limit: u32) -> Result<()> {
    for letter in store.dead_letters(limit).await? {
        let message = &letter.message;
        output::line(&format!(
            "{}\tdied={}\ttopic={}\ttenant={}\tuser={}\terror={}",
            message.message_id,
            letter.died_at.to_rfc3339(),
            message.topic,
            message.tenant_id,
            message.user_id,
            message.error,
        ))?;
    }
    Ok(())
}

async fn show(store: SystemStore, id: MessageId) -> Result<()> {
    let Some(letter) = store.dead_letter(id).await? else {
        return Err(not_found("dead letter").into());
    };
    let message = &letter.message;
    output::fields([
        ("message", message.message_id.to_string()),
        ("topic", message.topic.clone()),
        ("tenant", message.tenant_id.to_string()),
        ("user", message.user_id.to_string()),
        ("died", letter.died_at.to_rfc3339()),
        (
            "replayed",
            or_none(letter.replayed_at.map(|at| at.to_rfc3339())),
        ),
        ("error", message.error.clone()),
        ("traceparent", or_none(message.traceparent.as_deref())),
        ("payload", message.payload.to_string()),
    ])?;
    Ok(())
}

async fn replay(store: SystemStore, id: MessageId) -> Result<()> {
    let key = store.replay_dead_letter(id).await?;
    output::line(&format!("sent again as message {}", key.message_id))?;
    Ok(())
}
