"""The parts of `scripts/gen.py`: one module reads the catalogue, each other writes files."""
