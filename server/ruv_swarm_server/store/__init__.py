"""The durable file: SQLAlchemy Core over SQLite, one schema for every host."""

from ruv_swarm_server.store.errors import StoreError
from ruv_swarm_server.store.sqlite import Head, NewEvent, SqliteStore, StoredEvent

__all__ = ["Head", "NewEvent", "SqliteStore", "StoreError", "StoredEvent"]
