//! How much one upload may contain.

/// Most transactions of one request, over all accounts.
pub const UPLOAD_TRANSACTIONS_MAX: usize = 50_000;
/// Most accounts of one request.
pub const UPLOAD_ACCOUNTS_MAX: usize = 1_000;
/// Most securities of one account.
pub const SECURITIES_MAX: usize = 10_000;
/// Most standing orders of one account.
pub const STANDING_ORDERS_MAX: usize = 1_000;
/// Longest purpose, in bytes.
pub const PURPOSE_BYTES_MAX: usize = 4_096;
/// Longest name, title or reference, in bytes.
pub const TEXT_BYTES_MAX: usize = 1_024;
/// Longest code or number of an account, in bytes.
pub const CODE_BYTES_MAX: usize = 128;
/// Longest address of a logo, in bytes.
pub const URL_BYTES_MAX: usize = 2_048;
/// Longest number that is only shown, in bytes.
pub const SHOWN_NUMBER_BYTES_MAX: usize = 64;
/// Deepest nesting of a body.
pub const NESTING_MAX: usize = 127;
/// Most findings kept of one upload.
pub const FINDINGS_MAX: usize = 1_000;

/// How much one upload may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadLimits {
    /// Most transactions, over all accounts.
    pub transactions_max: usize,
    /// Most accounts.
    pub accounts_max: usize,
    /// Most securities of one account.
    pub securities_max: usize,
    /// Most standing orders of one account.
    pub standing_orders_max: usize,
    /// Longest purpose, in bytes.
    pub purpose_bytes_max: usize,
    /// Longest name, title or reference, in bytes.
    pub text_bytes_max: usize,
    /// Longest code or number of an account, in bytes.
    pub code_bytes_max: usize,
}

impl UploadLimits {
    /// What a request may contain.
    pub const REQUEST: Self = Self {
        transactions_max: UPLOAD_TRANSACTIONS_MAX,
        accounts_max: UPLOAD_ACCOUNTS_MAX,
        securities_max: SECURITIES_MAX,
        standing_orders_max: STANDING_ORDERS_MAX,
        purpose_bytes_max: PURPOSE_BYTES_MAX,
        text_bytes_max: TEXT_BYTES_MAX,
        code_bytes_max: CODE_BYTES_MAX,
    };

    /// What one user of a file may contain: bounded by memory, not by fairness among clients.
    pub const FILE: Self = Self {
        transactions_max: 2_000_000,
        accounts_max: 10_000,
        ..Self::REQUEST
    };
}

impl Default for UploadLimits {
    fn default() -> Self {
        Self::REQUEST
    }
}
