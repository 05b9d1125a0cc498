"""Who may connect: loopback without more, anything else only with a token or by saying so."""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass

# The largest message of any door, as gRPC's own default.
BODY_LIMIT = 4 * 1024 * 1024


def is_loopback(host: str) -> bool:
    """Tell whether ``host`` names this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Access:
    """What a caller must show. An empty token asks for nothing."""

    token: str = ""

    def allows(self, authorization: str) -> bool:
        """Tell whether the value of an ``authorization`` header is good enough."""
        if not self.token:
            return True
        scheme, _, given = authorization.partition(" ")
        same = hmac.compare_digest(given.strip().encode(), self.token.encode())
        return scheme.lower() == "bearer" and same


def host_name(header: str) -> str:
    """Return the name in a Host header, without its port."""
    if header.startswith("["):
        return header.partition("]")[0] + "]"
    return header.partition(":")[0]
