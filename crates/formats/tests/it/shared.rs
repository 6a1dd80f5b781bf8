//! Finds the documented samples and the development corpora, which are not in this repository.

use std::path::PathBuf;

/// A file named by `KONTOR_SHARED`, else beside the workspace; `None`, said aloud, where absent.
pub(crate) fn file(name: &str) -> Option<PathBuf> {
    let beside = || {
        let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        Some(manifest.ancestors().nth(3)?.join("shared"))
    };
    let found = std::env::var_os("KONTOR_SHARED")
        .map(PathBuf::from)
        .or_else(beside)
        .map(|shared| shared.join(name))
        .filter(|path| path.exists());
    if found.is_none() {
        println!("skipped: {name} is not here (set KONTOR_SHARED)");
    }
    found
}
