"""`python -m ruv_swarm` is the `ruv-swarm` command."""

import sys

from ruv_swarm.cli import main

sys.exit(main())
