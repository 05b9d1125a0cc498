"""The reference host of ruv-swarm: gRPC, MCP and HTTP over one core and one durable file."""

__version__ = "0.1.0"
