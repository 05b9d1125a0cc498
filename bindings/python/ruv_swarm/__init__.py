"""Swarms of agents that coordinate, think and prove, on one pure core."""

from ruv_swarm._core import version

__version__: str = version()
