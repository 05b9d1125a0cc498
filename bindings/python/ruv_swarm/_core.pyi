"""The extension module: the core and the Rust SQLite store."""

def version() -> str:
    """Return the version of the core, equal to that of the package."""
