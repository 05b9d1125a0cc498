"""Resource claims: which keys are allowed, and which claims conflict."""

from __future__ import annotations

from model.nouns import Json, Refused


def keys_meet(one: str, other: str) -> bool:
    """True if one key stands for the other; a key that ends in / stands for all that begin so."""
    if one == other:
        return True
    if one.endswith("/") and other.startswith(one):
        return True
    return other.endswith("/") and one.startswith(other)


def key_is_allowed(key: str) -> bool:
    """True if a key has one spelling only."""
    if not 1 <= len(key) <= 256 or not key.isprintable() or key != key.strip():
        return False
    parts = key.split("/")
    if parts[-1] == "" and len(parts) > 1:
        parts.pop()
    for place, part in enumerate(parts):
        if part in (".", "..") or (part == "" and place > 0):
            return False
    return True


def read(claims: list[Json]) -> dict[str, str]:
    """The claims of a request by key."""
    found = {}
    for claim in claims:
        key, mode = claim.get("key", ""), claim.get("mode", "") or "exclusive"
        if not key_is_allowed(key) or mode not in ("exclusive", "shared"):
            raise Refused("invalid_argument")
        found[key] = mode
    return found
