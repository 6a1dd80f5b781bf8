//! `kontor client`: API clients, their secrets and scopes.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{ClientId, ErrorKind, Sensitive};
use gateway::auth::hash_secret;
use store::{ClientSummary, NewClient, SystemStore};
use wire::scope::Scope;

use super::with_system;
use crate::command::ClientCommand;
use crate::config::Config;
use crate::database::World;
use crate::exit::Refusal;
use crate::output;

/// Length of a secret that we make, in random bytes.
const SECRET_BYTES: usize = 32;
/// Shortest secret that is taken from a file, in characters.
const SECRET_CHARS_MIN: usize = 16;

/// Runs a command.
///
/// # Errors
/// The client exists or does not, a scope is unknown, or the database does not answer.
pub(crate) async fn run(config: &Config, command: ClientCommand) -> Result<()> {
    // What was typed is checked before a database is started for it.
    let change = Change::try_new(command)?;
    with_system(config, |store, world| Box::pin(change.apply(store, world))).await
}

/// A checked command.
enum Change {
    Add {
        id: ClientId,
        scopes: Vec<String>,
        secret: NewSecret,
    },
    List,
    RotateSecret {
        id: ClientId,
        secret: NewSecret,
    },
    SetScopes {
        id: ClientId,
        scopes: Vec<String>,
    },
}

/// A secret, and whether its owner knows it already.
enum NewSecret {
    Made(Sensitive<String>),
    Given(Sensitive<String>),
}

impl Change {
    fn try_new(command: ClientCommand) -> Result<Self> {
        Ok(match command {
            ClientCommand::Add {
                id,
                scopes,
                secret_file,
            } => Self::Add {
                id: client_id(&id)?,
                scopes: parse_scopes(&scopes)?,
                secret: NewSecret::try_new(secret_file.as_deref())?,
            },
            ClientCommand::List => Self::List,
            ClientCommand::RotateSecret { id, secret_file } => Self::RotateSecret {
                id: client_id(&id)?,
                secret: NewSecret::try_new(secret_file.as_deref())?,
            },
            ClientCommand::SetScopes { id, scopes } => Self::SetScopes {
                id: client_id(&id)?,
                scopes: parse_scopes(&scopes)?,
            },
        })
    }

    async fn apply(self, store: SystemStore, world: World) -> Result<()> {
        match self {
            Self::Add { id, scopes, secret } => {
                let secret_hash = secret.hash(&world)?;
                let client = NewClient {
                    id: id.clone(),
                    secret_hash,
                    scopes,
                };
                store.add_client(&client).await?;
                output::line(&format!("client_id: {id}"))?;
                secret.show()?;
            }
            Self::List => {
                for client in store.list_clients().await? {
                    output::line(&line(&client))?;
                }
            }
            Self::RotateSecret { id, secret } => {
                store
                    .set_client_secret_hash(&id, &secret.hash(&world)?)
                    .await?;
                output::line(&format!("client_id: {id}"))?;
                secret.show()?;
            }
            Self::SetScopes { id, scopes } => {
                store.set_client_scopes(&id, &scopes).await?;
                output::line(&format!("{id}: {}", scopes.join(" ")))?;
            }
        }
        Ok(())
    }
}

impl NewSecret {
    fn try_new(file: Option<&Path>) -> Result<Self> {
        match file {
            Some(file) => read_secret(file).map(Self::Given),
            None => make_secret().map(Self::Made),
        }
    }

    fn hash(&self, world: &World) -> Result<Sensitive<String>> {
        let (Self::Made(secret) | Self::Given(secret)) = self;
        Ok(Sensitive::new(hash_secret(secret, &*world.ids)?))
    }

    /// Prints a secret that we made: this is the only time that anybody can read it.
    fn show(&self) -> Result<()> {
        if let Self::Made(secret) = self {
            output::line(&format!("client_secret: {}", secret.as_str()))?;
        }
        Ok(())
    }
}

fn read_secret(file: &Path) -> Result<Sensitive<String>> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|mut file| file.read_to_string(&mut text))
    };
    read.with_context(|| format!("cannot read the secret from {}", file.display()))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.chars().count() < SECRET_CHARS_MIN {
        let message = format!("a secret must have at least {SECRET_CHARS_MIN} characters");
        return Err(Refusal::new(ErrorKind::InvalidInput, message).into());
    }
    Ok(Sensitive::from(secret))
}

fn make_secret() -> Result<Sensitive<String>> {
    let mut bytes = [0; SECRET_BYTES];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(Sensitive::new(URL_SAFE_NO_PAD.encode(bytes))),
        Err(_) => bail!("the operating system gave no random bytes"),
    }
}

fn client_id(text: &str) -> Result<ClientId, Refusal> {
    ClientId::try_new(text)
        .map_err(|error| Refusal::new(ErrorKind::InvalidInput, format!("client {text:?}: {error}")))
}

/// Canonical names, each once, in the documents' order, whatever spelling was typed.
fn parse_scopes(typed: &[String]) -> Result<Vec<String>, Refusal> {
    let words: Vec<&str> = typed
        .iter()
        .flat_map(|text| text.split([',', ' ']))
        .collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let mut chosen = Vec::new();
    for word in &words {
        match word.parse::<Scope>() {
            Ok(scope) => chosen.push(scope),
            Err(_) if *word == "all" => chosen.extend_from_slice(Scope::ALL),
            Err(error) => {
                let message =
                    format!("scope {word:?}: {error}; `kontor client add --help` says more");
                return Err(Refusal::new(ErrorKind::InvalidInput, message));
            }
        }
    }
    let in_order = Scope::ALL.iter().filter(|scope| chosen.contains(scope));
    Ok(in_order.map(|scope| scope.as_str().to_owned()).collect())
}

fn line(client: &ClientSummary) -> String {
    let scopes = if client.scopes.len() == Scope::ALL.len() {
        "all".to_owned()
    } else {
        client.scopes.join(",")
    };
    format!(
        "{}\ttenants={}\tcreated={}\tchanged={}\tscopes={scopes}",
        client.id,
        client.tenants,
        client.created_at.format("%Y-%m-%dT%H:%M:%SZ"),
        client.updated_at.format("%Y-%m-%dT%H:%M:%SZ"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_canonical_and_in_order() {
        let parse = |words: &[&str]| {
            let typed: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            parse_scopes(&typed)
        };
        let found = parse(&["categorization", "banking,bankingExternal banking"]).expect("known");
        assert_eq!(found, ["banking", "banking-upload", "categorization"]);
        assert_eq!(parse(&["all"]).expect("known").len(), Scope::ALL.len());
        let refused = parse(&["banking", "bankng"]).expect_err("unknown");
        assert!(refused.message.contains("bankng"), "{refused}");
    }

    #[test]
    fn short_secrets_are_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("secret");
        for (text, expected) in [
            ("0123456789abcdef\n", Some("0123456789abcdef")),
            ("short\n", None),
        ] {
            std::fs::write(&path, text).expect("written");
            let read = read_secret(&path).ok();
            assert_eq!(read.as_ref().map(Sensitive::as_str), expected);
        }
    }
}
