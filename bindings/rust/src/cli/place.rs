//! Which database file is meant.

use std::path::{Path, PathBuf};

/// The name of the file that belongs to a folder and those below it.
const NAME: &str = "swarm.db";

/// The file of `--db`, else of `RUV_SWARM_DB`, else `./swarm.db` or, unless a new one is wanted, the
/// nearest one upwards, as git finds its folder.
pub(super) fn database(given: Option<&String>, new: bool) -> PathBuf {
    if let Some(path) = given {
        return PathBuf::from(path);
    }
    if let Some(path) = std::env::var_os("RUV_SWARM_DB").filter(|path| !path.is_empty()) {
        return PathBuf::from(path);
    }
    let here = Path::new(".").join(NAME);
    if new || here.exists() {
        return here;
    }
    upwards().unwrap_or(here)
}

fn upwards() -> Option<PathBuf> {
    let folder = std::env::current_dir().ok()?;
    folder.ancestors().skip(1).map(|above| above.join(NAME)).find(|path| path.is_file())
}
