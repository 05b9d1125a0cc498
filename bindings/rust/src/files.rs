//! Files that people name: read whole, written at once or not at all, with the core's error texts.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use ruv_swarm_core::error::{host_error, Error, HostTrouble};

/// The largest file that is read as a dataset or a model: 256 MiB, as the core's limit for artifacts.
pub const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// The system's words for an I/O error, lower case and without its number.
pub fn io_words(error: &io::Error) -> String {
    let text = error.to_string().to_lowercase();
    match text.rfind(" (os error") {
        Some(end) => text[..end].to_string(),
        None => text,
    }
}

/// All bytes of the file that was given as `field`.
pub fn read(field: &str, path: &str) -> Result<Vec<u8>, Error> {
    let fail = |kind, detail: &str| host_error(kind, field, path, detail);
    let unreadable = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => fail(HostTrouble::FileMissing, ""),
        _ => fail(HostTrouble::FileUnreadable, &io_words(&error)),
    };
    let meta = fs::metadata(path).map_err(unreadable)?;
    if meta.is_dir() {
        return Err(fail(HostTrouble::FileIsFolder, ""));
    }
    let mut bytes = Vec::new();
    // one byte more than allowed is enough to know, even of a pipe without a length
    let mut file = File::open(path).map_err(unreadable)?.take(MAX_BYTES + 1);
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        let message =
            format!("{field}: {path:?} has more than {MAX_BYTES} bytes (256 MiB), which is the limit");
        return Err(Error::new(ruv_swarm_core::Code::LimitExceeded, field, message));
    }
    Ok(bytes)
}

/// Writes the file that was given as `field`: readers see the old file or the whole new one.
pub fn write_atomically(field: &str, path: &str, bytes: &[u8]) -> Result<(), Error> {
    let fail = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => {
            host_error(HostTrouble::FileUnwritable, field, path, "its folder does not exist")
        }
        ErrorKind::StorageFull => {
            host_error(HostTrouble::FileUnwritable, field, path, "no space left on the disk")
        }
        _ => host_error(HostTrouble::FileUnwritable, field, path, &io_words(&error)),
    };
    let target = Path::new(path);
    if target.is_dir() {
        return Err(host_error(HostTrouble::FileIsFolder, field, path, ""));
    }
    // a device or a pipe cannot be replaced by a rename
    if fs::metadata(target).is_ok_and(|meta| !meta.is_file()) {
        return fs::OpenOptions::new()
            .write(true)
            .open(target)
            .and_then(|mut f| f.write_all(bytes))
            .map_err(fail);
    }
    let beside = temporary_name(target);
    let written = (|| {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, target)
    })();
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        fail(error)
    })
}

fn temporary_name(target: &Path) -> PathBuf {
    let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    target.with_file_name(format!(".{name}.{:016x}.part", crate::random::draw()))
}
