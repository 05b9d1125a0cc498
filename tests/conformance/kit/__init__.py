"""What the conformance tests share: targets, vectors, random lists, doors."""
