//! What is wrong with a configuration.

use std::fmt;

/// One thing that is wrong, under its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The key, or the file when the file itself is unreadable.
    pub(crate) key: String,
    /// File or variable that set it; absent for a default or a missing setting.
    pub(crate) source: Option<String>,
    /// What is wrong, without any secret.
    pub(crate) message: String,
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigError(pub(crate) Vec<Problem>);

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the configuration is not usable:")?;
        for problem in &self.0 {
            write!(formatter, "\n  {}", problem.key)?;
            if let Some(source) = &problem.source {
                write!(formatter, " (from {source})")?;
            }
            write!(formatter, ": {}", problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
