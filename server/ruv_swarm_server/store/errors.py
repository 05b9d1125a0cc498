"""What SQLite's error codes mean to a caller."""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import DBAPIError

# Primary result codes of SQLite; the low byte of an extended code.
_READONLY, _BUSY, _LOCKED, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = 8, 5, 6, 10, 11, 13, 14, 26
# No room for the shared-memory index beside the write-ahead log.
_IOERR_SHMSIZE = _IOERR | (19 << 8)


class StoreError(Exception):
    """Trouble of the store: a word that the core knows, and the detail."""

    def __init__(self, kind: str, detail: str) -> None:
        """Name the trouble by the core's word for it."""
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail


def errorcode(error: DBAPIError) -> int:
    """Return SQLite's extended result code, or 0 if the driver gave none."""
    original: Any = error.orig
    return int(getattr(original, "sqlite_errorcode", 0) or 0)


def is_busy(error: DBAPIError) -> bool:
    """Tell whether another process holds the lock; repeating can help."""
    return errorcode(error) & 0xFF in (_BUSY, _LOCKED)


def classify(error: DBAPIError) -> StoreError:
    """Return the trouble that a driver's error stands for."""
    code, detail = errorcode(error), str(error.orig)
    if code == _IOERR_SHMSIZE:
        return StoreError("disk_full", detail)
    match code & 0xFF:
        case 13:
            return StoreError("disk_full", detail)
        case 8 | 14:
            return StoreError("read_only", detail)
        case 11:
            return StoreError("damaged_database", detail)
        case 26:
            return StoreError("not_a_database", detail)
        case 5 | 6:
            return StoreError("busy", "0")
        case _:
            return StoreError("store_failed", detail)
