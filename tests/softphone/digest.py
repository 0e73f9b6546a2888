"""The challenger's side of digest (RFC 2617, RFC 7616), for an INVITE that must prove itself."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Final

from tests.softphone.message import Request

ALGORITHMS: Final = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
MAX_NONCES: Final = 1000

_FIELD = re.compile(r'([A-Za-z\-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,]+)')


@dataclass(slots=True)
class Gatekeeper:
    """Challenges by 407 and checks what comes back, for one user."""

    user: str
    password: str
    realm: str = "softphone"
    algorithm: str = "MD5"
    qop: str = "auth"
    """Empty for the form of RFC 2069, without a nonce count."""
    _nonces: dict[str, int] = field(default_factory=dict)
    """Each nonce given out, with the highest count that it was used with."""

    def challenge(self) -> str:
        """A Proxy-Authenticate value with a fresh nonce."""
        nonce = secrets.token_hex(16)
        if len(self._nonces) >= MAX_NONCES:
            self._nonces.pop(next(iter(self._nonces)))
        self._nonces[nonce] = 0
        qop = f', qop="{self.qop}"' if self.qop else ""
        return (
            f'Digest realm="{self.realm}", nonce="{nonce}", algorithm={self.algorithm}, '
            f'opaque="{nonce[:8]}"{qop}'
        )

    def refusal(self, request: Request) -> str | None:
        """Why the request's credentials do not do, "" when it brings none, None when they do."""
        value = request.header("Proxy-Authorization")
        if value is None:
            return ""
        scheme, _, rest = value.partition(" ")
        given = {name.lower(): text.strip('"') for name, text in _FIELD.findall(rest)}
        if scheme.lower() != "digest" or given.get("realm") != self.realm:
            return "another scheme or realm"
        nonce = given.get("nonce", "")
        if given.get("username") != self.user or given.get("opaque") != nonce[:8]:
            return "another user, or the opaque value did not come back"
        if given.get("uri") != request.uri:
            return f"uri {given.get('uri')} is not the Request-URI"
        if given.get("algorithm", "MD5").upper() != self.algorithm:
            return f"algorithm {given.get('algorithm')}"
        if fault := self._count_fault(nonce, given):
            return fault
        right = response_of(given, request.method, self.password)
        return None if given.get("response") == right else "the response is wrong"

    def _count_fault(self, nonce: str, given: dict[str, str]) -> str:
        if nonce not in self._nonces:
            return "an unknown nonce"
        if not self.qop:
            return ""
        count = given.get("nc", "")
        if given.get("qop") != "auth" or not given.get("cnonce"):
            return "qop or cnonce is missing"
        if not re.fullmatch(r"[0-9a-f]{8}", count) or int(count, 16) <= self._nonces[nonce]:
            return f"nc {count} after {self._nonces[nonce]}"
        self._nonces[nonce] = int(count, 16)
        return ""


def response_of(given: dict[str, str], method: str, password: str) -> str:
    """The response that these credential fields call for (RFC 7616 section 3.4.1)."""
    make = ALGORITHMS[given.get("algorithm", "MD5").upper()]

    def digest(*parts: str) -> str:
        return make(":".join(parts).encode()).hexdigest()

    secret = digest(given["username"], given["realm"], password)
    what = digest(method, given["uri"])
    if "qop" not in given:
        return digest(secret, given["nonce"], what)
    return digest(secret, given["nonce"], given["nc"], given["cnonce"], given["qop"], what)
