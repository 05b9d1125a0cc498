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
    let mut bytes = Vec::new();
    // one byte more than allowed is enough to know, even of a pipe without a length
    let mut file = open(field, path)?.take(MAX_BYTES + 1);
    file.read_to_end(&mut bytes).map_err(|error| unreadable(field, path, &error))?;
    if bytes.len() as u64 > MAX_BYTES {
        let message =
            format!("{field}: {path:?} has more than {MAX_BYTES} bytes (256 MiB), which is the limit");
        return Err(Error::new(ruv_swarm_core::Code::LimitExceeded, field, message));
    }
    Ok(bytes)
}

/// Opens the file that was given as `field` for reading.
pub fn open(field: &str, path: &str) -> Result<File, Error> {
    let meta = fs::metadata(path).map_err(|error| unreadable(field, path, &error))?;
    if meta.is_dir() {
        return Err(host_error(HostTrouble::FileIsFolder, field, path, ""));
    }
    File::open(path).map_err(|error| unreadable(field, path, &error))
}

/// The error for a file that was given as `field` and cannot be read.
pub fn unreadable(field: &str, path: &str, error: &io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => host_error(HostTrouble::FileMissing, field, path, ""),
        _ => host_error(HostTrouble::FileUnreadable, field, path, &io_words(error)),
    }
}

/// Writes the file that was given as `field`: readers see the old file or the whole new one.
pub fn write_atomically(field: &str, path: &str, bytes: &[u8]) -> Result<(), Error> {
    let mut file = NewFile::begin(field, path)?;
    file.write(bytes)?;
    file.commit()
}

/// Refuses a path that was given as `field` and cannot be written: a folder, or one in no folder. What takes
/// long to make is asked about before it is made.
pub fn check_target(field: &str, path: &str) -> Result<(), Error> {
    let target = Path::new(path);
    if target.is_dir() {
        return Err(host_error(HostTrouble::FileIsFolder, field, path, ""));
    }
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            Err(host_error(HostTrouble::FileUnwritable, field, path, "its folder does not exist"))
        }
        _ => Ok(()),
    }
}

/// A file that is written piece by piece and seen by readers only when it is whole. Dropped before
/// [`NewFile::commit`], it leaves nothing behind.
pub struct NewFile {
    field: String,
    path: String,
    file: Option<File>,
    /// Where it is written until it is whole; none for a device or a pipe, which is written at once.
    beside: Option<PathBuf>,
}

impl NewFile {
    /// Begins the file that was given as `field`.
    pub fn begin(field: &str, path: &str) -> Result<NewFile, Error> {
        let target = Path::new(path);
        if target.is_dir() {
            return Err(host_error(HostTrouble::FileIsFolder, field, path, ""));
        }
        let mut new = NewFile { field: field.into(), path: path.into(), file: None, beside: None };
        // a device or a pipe cannot be replaced by a rename
        let made = if fs::metadata(target).is_ok_and(|meta| !meta.is_file()) {
            fs::OpenOptions::new().write(true).open(target)
        } else {
            let beside = temporary_name(target);
            let made = File::create(&beside);
            new.beside = made.is_ok().then_some(beside);
            made
        };
        new.file = Some(made.map_err(|error| new.trouble(&error))?);
        Ok(new)
    }

    /// Adds bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.write_all(bytes).map_err(|error| self.trouble(&error))
    }

    /// Puts the whole file in its place.
    pub fn commit(mut self) -> Result<(), Error> {
        let (Some(file), Some(beside)) = (self.file.take(), &self.beside) else { return Ok(()) };
        let renamed = file.sync_all().and_then(|()| fs::rename(beside, &self.path));
        renamed.map_err(|error| self.trouble(&error))?;
        self.beside = None;
        Ok(())
    }

    fn trouble(&self, error: &io::Error) -> Error {
        let detail = match error.kind() {
            ErrorKind::NotFound => "its folder does not exist",
            ErrorKind::StorageFull => "no space left on the disk",
            _ => &io_words(error),
        };
        host_error(HostTrouble::FileUnwritable, &self.field, &self.path, detail)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(beside) = self.beside.take() {
            // nothing is lost if it stays: it has the name of a part
            let _ = fs::remove_file(beside);
        }
    }
}

fn temporary_name(target: &Path) -> PathBuf {
    let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    target.with_file_name(format!(".{name}.{:016x}.part", crate::random::draw()))
}
