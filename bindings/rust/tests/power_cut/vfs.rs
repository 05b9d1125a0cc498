//! A VFS of SQLite over the system's own that tells a [`Disk`] what is written and synced.
//!
//! It is the default of the test process. Only files of folders that [`watch`] names are told of; the
//! others go through untouched. The index in shared memory (`-shm`) never passes a VFS's files: it is
//! not kept, as after a real cut.

use std::collections::HashMap;
use std::ffi::{c_char, c_int, c_void, CStr};
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, Once, OnceLock, PoisonError};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_io_methods, sqlite3_vfs};

use crate::disk::Disk;

pub type Shared = Arc<Mutex<Disk>>;

static WATCHED: OnceLock<Mutex<HashMap<PathBuf, Shared>>> = OnceLock::new();
static INSTALL: Once = Once::new();

/// Sends what happens in `folder` to the disk, which is given back to be looked at.
pub fn watch(folder: &Path, disk: Disk) -> Shared {
    INSTALL.call_once(install);
    let shared = Arc::new(Mutex::new(disk));
    watched().insert(folder.canonicalize().unwrap(), shared.clone());
    shared
}

/// The disk behind a watched folder; a test that failed meanwhile is no reason to fail again.
pub fn look(disk: &Shared) -> MutexGuard<'_, Disk> {
    disk.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watched() -> MutexGuard<'static, HashMap<PathBuf, Shared>> {
    WATCHED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// What stands behind an open file: where to tell, and by which name.
struct Told {
    disk: Shared,
    name: String,
    /// A journal or log, whose first sync brings its folder to the disk as well.
    with_folder: bool,
}

/// What SQLite holds as a file; the system's own file lies right behind it.
#[repr(C)]
struct Shim {
    head: sqlite3_file,
    told: *mut Told,
}

/// The system's file behind ours.
unsafe fn real(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: szOsFile asks SQLite for room for both, and Shim's size is a multiple of 8
    unsafe { file.cast::<Shim>().add(1).cast() }
}

unsafe fn methods(file: *mut sqlite3_file) -> (*mut sqlite3_file, &'static sqlite3_io_methods) {
    // SAFETY: SQLite calls methods only between a successful xOpen and xClose, in which the system's
    // file has its methods, a static table
    unsafe {
        let real = real(file);
        (real, &*(*real).pMethods)
    }
}

unsafe fn told<'a>(file: *mut sqlite3_file) -> Option<&'a Told> {
    // SAFETY: `told` is null or comes from Box::into_raw in `open`, freed in `close` alone
    unsafe { (*file.cast::<Shim>()).told.as_ref() }
}

fn lock(told: &Told) -> MutexGuard<'_, Disk> {
    look(&told.disk)
}

/// Methods that only pass the call on to the system's file.
macro_rules! pass {
    ($($name:ident = $method:ident ( $($arg:ident : $kind:ty),* );)*) => { $(
        unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $arg: $kind)*) -> c_int {
            // SAFETY: the arguments are SQLite's own, handed on to the method they are meant for
            unsafe {
                let (real, table) = methods(file);
                table.$method.unwrap()(real $(, $arg)*)
            }
        }
    )* };
}

pass! {
    read = xRead(to: *mut c_void, count: c_int, at: i64);
    file_size = xFileSize(size: *mut i64);
    lock_file = xLock(level: c_int);
    unlock_file = xUnlock(level: c_int);
    check_reserved = xCheckReservedLock(out: *mut c_int);
    control = xFileControl(code: c_int, arg: *mut c_void);
    sector_size = xSectorSize();
    characteristics = xDeviceCharacteristics();
    shm_map = xShmMap(page: c_int, size: c_int, extend: c_int, out: *mut *mut c_void);
    shm_lock = xShmLock(offset: c_int, count: c_int, flags: c_int);
    shm_unmap = xShmUnmap(delete: c_int);
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: as in `pass`
    unsafe {
        let (real, table) = methods(file);
        table.xShmBarrier.unwrap()(real);
    }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, count: c_int, at: i64) -> c_int {
    // SAFETY: SQLite hands in `count` readable bytes
    unsafe {
        let (real, table) = methods(file);
        let Some(told) = told(file) else { return table.xWrite.unwrap()(real, from, count, at) };
        if let Some(code) = lock(told).before_write(&told.name) {
            return code;
        }
        let result = table.xWrite.unwrap()(real, from, count, at);
        if result == ffi::SQLITE_OK {
            let bytes = std::slice::from_raw_parts(from.cast::<u8>(), count as usize);
            lock(told).write(&told.name, at as usize, bytes);
        }
        result
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: i64) -> c_int {
    // SAFETY: as in `pass`
    unsafe {
        let (real, table) = methods(file);
        if let Some(told) = told(file) {
            lock(told).truncate(&told.name, size as usize);
        }
        table.xTruncate.unwrap()(real, size)
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: as in `pass`. A watched file is not really synced: the model alone is looked at
    unsafe {
        let (real, table) = methods(file);
        match told(file) {
            Some(told) => lock(told).sync(&told.name, told.with_folder).unwrap_or(ffi::SQLITE_OK),
            None => table.xSync.unwrap()(real, flags),
        }
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: as in `pass`; the box is freed once, since SQLite closes a file once
    unsafe {
        let (real, table) = methods(file);
        let result = table.xClose.unwrap()(real);
        let shim = file.cast::<Shim>();
        if !(*shim).told.is_null() {
            drop(Box::from_raw((*shim).told));
            (*shim).told = ptr::null_mut();
        }
        result
    }
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    // 2: with shared memory for the log's index, without memory-mapped pages, which no xWrite would see
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock_file),
    xUnlock: Some(unlock_file),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The watched folder of a path with the file's name in it.
unsafe fn place(path: *const c_char) -> Option<(Shared, String)> {
    if path.is_null() {
        return None;
    }
    // SAFETY: SQLite's file names end with a zero byte
    let path = PathBuf::from(unsafe { CStr::from_ptr(path) }.to_str().ok()?);
    let folder = path.parent()?.canonicalize().ok()?;
    let disk = watched().get(&folder)?.clone();
    Some((disk, path.file_name()?.to_str()?.to_string()))
}

unsafe fn system() -> *mut sqlite3_vfs {
    // SAFETY: the name is a C string; the VFS of a system is never unregistered
    unsafe { ffi::sqlite3_vfs_find(c"unix".as_ptr()) }
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    path: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite hands in szOsFile bytes for the file, room for ours and the system's
    unsafe {
        let shim = file.cast::<Shim>();
        ptr::write(shim, Shim { head: sqlite3_file { pMethods: ptr::null() }, told: ptr::null_mut() });
        let system = system();
        let result = (*system).xOpen.unwrap()(system, path, real(file), flags, out);
        if result != ffi::SQLITE_OK {
            return result;
        }
        (*shim).head.pMethods = &METHODS;
        let journal = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL;
        if let Some((disk, name)) = place(path).filter(|_| flags & ffi::SQLITE_OPEN_READWRITE != 0) {
            look(&disk).open(&name, flags & ffi::SQLITE_OPEN_MAIN_DB != 0);
            let told = Told { disk, name, with_folder: flags & journal != 0 };
            (*shim).told = Box::into_raw(Box::new(told));
        }
        ffi::SQLITE_OK
    }
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, path: *const c_char, with_folder: c_int) -> c_int {
    // SAFETY: SQLite's own arguments, handed on
    unsafe {
        if let Some((disk, name)) = place(path) {
            look(&disk).delete(&name, with_folder != 0);
        }
        let system = system();
        (*system).xDelete.unwrap()(system, path, with_folder)
    }
}

/// Makes the shim the VFS that every connection of this process is opened with.
fn install() {
    // SAFETY: the copy of the system's VFS lives as long as the process. What is not replaced needs
    // nothing of the VFS it is called with: only xOpen does, which is called with the system's own
    unsafe {
        ffi::sqlite3_initialize();
        let system = system();
        let vfs = sqlite3_vfs {
            szOsFile: (*system).szOsFile + size_of::<Shim>() as c_int,
            zName: c"power-cut".as_ptr(),
            pNext: ptr::null_mut(),
            xOpen: Some(open),
            xDelete: Some(delete),
            ..*system
        };
        let result = ffi::sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 1);
        assert_eq!(result, ffi::SQLITE_OK);
    }
}
