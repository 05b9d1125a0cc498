"""The `ruv-swarm-server` command."""

from ruv_swarm_server import __version__


def main() -> int:
    """Run the command line and return its exit code."""
    print(f"ruv-swarm-server {__version__}")
    return 0
