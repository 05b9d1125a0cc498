"""The doors: gRPC, HTTP and MCP. Each hands JSON text to the host and words nothing itself."""
