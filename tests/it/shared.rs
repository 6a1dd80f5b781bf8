//! Development data beside the repository, which a stranger's clone does not have.

use std::path::PathBuf;

/// A file or folder of the development data, or `None` with a line that says so.
///
/// Continuous integration refuses to run without the folder, so that nothing is skipped there.
pub(crate) fn shared(relative: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let root = std::env::var_os("KONTOR_SHARED").map_or(beside, PathBuf::from);
    let path = root.join(relative);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: development data {relative} is not here");
    None
}
