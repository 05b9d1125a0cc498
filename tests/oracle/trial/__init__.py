"""Lists of operations on the core, and the comparison of what comes of them with the model."""
