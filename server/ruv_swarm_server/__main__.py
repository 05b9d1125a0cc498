"""Run the server as `python -m ruv_swarm_server`."""

import sys

from ruv_swarm_server.cli import main

sys.exit(main())
