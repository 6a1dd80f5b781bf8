//! The file of keys: which keys sign access tokens, and which seal secrets in the database.
//!
//! Every process of an installation reads the same file. It is made when there is none; of two
//! processes that make it at once, one succeeds and both read its keys. In each list the first
//! key is used and all are accepted, so a key is changed by putting the new one first.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Sensitive;
use gateway::auth::{KeyRing, SigningKey};
use serde::{Deserialize, Serialize};
use store::vault::{Vault, VaultKey};

/// Length of a signing key that we make, in bytes.
const SIGNING_KEY_BYTES: usize = 64;
const KEY_ID_BYTES: usize = 8;
/// Others may pass through a data directory, as the private database's user must; they may not
/// list it.
const DATA_DIR_MODE: u32 = 0o711;

/// The keys in use.
pub(crate) struct Keys {
    /// For access tokens.
    pub(crate) ring: KeyRing,
    /// For secrets in the database.
    pub(crate) vault: Vault,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysFile {
    /// The first one signs, all verify.
    signing: Vec<SigningEntry>,
    /// Unix seconds; access tokens issued before are refused.
    #[serde(default)]
    tokens_not_before: i64,
    /// 32 bytes each, base64; the first one seals, all open.
    vault: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "algorithm", deny_unknown_fields)]
enum SigningEntry {
    HS256 {
        id: String,
        /// Base64, at least 32 bytes.
        secret: String,
    },
    EdDSA {
        id: String,
        /// Base64 of PKCS#8.
        private: String,
        /// Base64 of the 32 raw bytes.
        public: String,
    },
}

impl Keys {
    /// Reads the file, or makes it.
    ///
    /// # Errors
    /// What is wrong with the file, never what is in it.
    pub(crate) fn load_or_create(path: &Path) -> Result<Self> {
        let shown = path.display();
        if !path.exists() {
            create(path).with_context(|| format!("cannot make the file of keys {shown}"))?;
        }
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the file of keys {shown}"))?;
        warn_if_readable_by_others(path);
        parse(&text).with_context(|| format!("the file of keys {shown} cannot be used"))
    }
}

fn parse(text: &str) -> Result<Keys> {
    let Ok(file) = serde_json::from_str::<KeysFile>(text) else {
        // The reader's own message may quote a key.
        bail!(
            "it must be JSON with `signing` (a list of {{\"algorithm\": \"HS256\", \"id\", \
             \"secret\"}}) and `vault` (a list of keys)"
        );
    };
    let signing: Result<Vec<SigningKey>> = file.signing.iter().map(signing_key).collect();
    let vault: Result<Vec<VaultKey>, _> = file
        .vault
        .iter()
        .map(|text| VaultKey::from_base64(text))
        .collect();
    Ok(Keys {
        ring: KeyRing::try_new(signing?, file.tokens_not_before)?,
        vault: Vault::try_new(vault?)?,
    })
}

fn signing_key(entry: &SigningEntry) -> Result<SigningKey> {
    match entry {
        SigningEntry::HS256 { id, secret } => Ok(SigningKey::try_hs256(
            id,
            &Sensitive::new(decode(id, secret)?),
        )?),
        SigningEntry::EdDSA {
            id,
            private,
            public,
        } => {
            let private = Sensitive::new(decode(id, private)?);
            Ok(SigningKey::try_eddsa(id, &private, &decode(id, public)?)?)
        }
    }
}

fn decode(id: &str, text: &str) -> Result<Vec<u8>> {
    match STANDARD.decode(text) {
        Ok(bytes) => Ok(bytes),
        // The decoder's message would name bytes of the key.
        Err(_) => bail!("the signing key {id} is not base64"),
    }
}

/// Makes the file whole under another name, then links it to its own: that fails when another
/// process was faster, and then its file counts.
fn create(path: &Path) -> Result<()> {
    if let Some(directory) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        let mut builder = DirBuilder::new();
        builder
            .recursive(true)
            .mode(DATA_DIR_MODE)
            .create(directory)?;
    }
    let file = KeysFile {
        signing: vec![SigningEntry::HS256 {
            id: hex(&random::<KEY_ID_BYTES>()?),
            secret: STANDARD.encode(random::<SIGNING_KEY_BYTES>()?),
        }],
        tokens_not_before: 0,
        vault: vec![VaultKey::generate()?.to_base64().into_inner()],
    };
    let unfinished = path.with_extension(format!("unfinished-{}", hex(&random::<KEY_ID_BYTES>()?)));
    let mut writer = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)?;
    let written = writer
        .write_all(serde_json::to_string_pretty(&file)?.as_bytes())
        .and_then(|()| writer.sync_all())
        .and_then(|()| fs::hard_link(&unfinished, path));
    fs::remove_file(&unfinished)?;
    match written {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()),
    }
}

fn warn_if_readable_by_others(path: &Path) {
    let open = fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0);
    if open {
        tracing::warn!(file = %path.display(), "others may read the file of keys, its mode should be 0600");
    }
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => bail!("the operating system gave no random bytes"),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn processes_that_start_at_once_agree() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("deep/keys.json");
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| Keys::load_or_create(&path).expect("keys"));
            }
        });
        let first = fs::read_to_string(&path).expect("readable");
        Keys::load_or_create(&path).expect("keys");
        assert_eq!(fs::read_to_string(&path).expect("readable"), first);
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let files = fs::read_dir(path.parent().expect("a parent"))
            .expect("a list")
            .count();
        assert_eq!(files, 1, "nothing unfinished is left");
    }

    #[test]
    fn damaged_files_are_refused_without_showing_keys() {
        let key = STANDARD.encode([7; 32]);
        let short = STANDARD.encode([7; 8]);
        let signing = format!(r#"{{"algorithm":"HS256","id":"a","secret":"{key}"}}"#);
        for (text, expected) in [
            (
                format!(r#"{{"signing":[{signing}],"vault":["{key}"]}}"#),
                None,
            ),
            (
                format!(r#"{{"signing":[{signing},{signing}],"vault":["{key}"]}}"#),
                Some("the key id a occurs twice"),
            ),
            (
                format!(r#"{{"signing":[{signing}],"vault":["{short}"]}}"#),
                Some("a vault key must be 32 bytes in base64"),
            ),
            (
                format!(r#"{{"signing":[{signing}],"vault":[]}}"#),
                Some("a vault needs at least one key"),
            ),
            (
                format!(r#"{{"signing":[],"vault":["{key}"]}}"#),
                Some("the key ring has no key"),
            ),
            (
                format!(
                    r#"{{"signing":[{{"algorithm":"none","id":"a","secret":"{key}"}}],"vault":["{key}"]}}"#
                ),
                Some("it must be JSON with"),
            ),
            (
                r#"{"signing":[{"algorithm":"HS256","id":"a","secret":"%%"}],"vault":[]}"#
                    .to_owned(),
                Some("the signing key a is not base64"),
            ),
        ] {
            let message = parse(&text).err().map(|error| format!("{error:#}"));
            match expected {
                None => assert_eq!(message, None, "{text}"),
                Some(expected) => {
                    let message = message.expect("refused");
                    assert!(message.contains(expected), "{message}");
                    assert!(!message.contains(&key), "{message}");
                }
            }
        }
    }
}
