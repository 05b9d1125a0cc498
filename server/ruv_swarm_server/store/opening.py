"""A look at a file as plain bytes, before SQLite gets to touch it."""

from __future__ import annotations

import os
from pathlib import Path

from ruv_swarm_server import kernel
from ruv_swarm_server.store.errors import StoreError

_MAGIC = b"SQLite format 3\0"
_HEADER = 100
_VERSION_AT = 60
_APPLICATION_AT = 68


def exists(path: Path) -> bool:
    """Tell whether there is something at ``path`` that could be a swarm's file."""
    try:
        meta = path.stat()
    except OSError:
        return False
    return not path.is_file() or meta.st_size > 0


def look_at(path: Path, *, create: bool) -> None:
    """Raise `StoreError` unless ``path`` can be opened, or with ``create`` be made."""
    try:
        meta = path.stat()
    except FileNotFoundError:
        if not create:
            raise StoreError("no_database", "") from None
        if not path.parent.is_dir():
            raise StoreError("file_unwritable", "its folder does not exist") from None
        return
    except OSError as error:
        raise StoreError("file_unreadable", words(error)) from error
    if path.is_dir():
        raise StoreError("file_is_folder", "")
    if meta.st_size == 0 and not create:
        raise StoreError("no_database", "")
    header = _read_header(path)
    # With a journal beside it a crash has left the first page half written: SQLite puts it right.
    if header and not beside(path, "-journal").exists():
        _check_header(header)


def beside(path: Path, ending: str) -> Path:
    """Return the file that SQLite keeps beside the database under this ending."""
    return path.with_name(path.name + ending)


def check_owner(application: int, version: int) -> None:
    """Raise `StoreError` unless the file is a swarm's and no newer than this release."""
    if application != kernel.APPLICATION_ID:
        raise StoreError("not_a_database", "")
    if version > kernel.SCHEMA_VERSION:
        raise StoreError("newer_database", str(version))


def words(error: OSError) -> str:
    """Return what the system says, in lower case as all our messages are."""
    return (os.strerror(error.errno) if error.errno else str(error)).lower()


def _read_header(path: Path) -> bytes:
    try:
        with path.open("r+b") as file:
            return file.read(_HEADER)
    except OSError as error:
        if isinstance(error, PermissionError) or error.errno == 30:  # 30: a read-only file system
            raise StoreError("read_only", "") from error
        raise StoreError("file_unreadable", words(error)) from error


def _check_header(header: bytes) -> None:
    if len(header) < _HEADER or not header.startswith(_MAGIC):
        raise StoreError("not_a_database", "")
    application = int.from_bytes(header[_APPLICATION_AT : _APPLICATION_AT + 4], "big")
    # 0: the page that tells may still be in the write-ahead log; SQLite is asked later.
    if application != 0:
        check_owner(application, int.from_bytes(header[_VERSION_AT : _VERSION_AT + 4], "big"))
