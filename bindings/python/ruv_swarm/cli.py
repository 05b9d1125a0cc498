"""The `ruv-swarm` command."""

from ruv_swarm import __version__


def main() -> int:
    """Run the command line and return its exit code."""
    print(f"ruv-swarm {__version__}")
    return 0
