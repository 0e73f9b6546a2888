"""Digest authentication as the one who is asked (RFC 3261 section 22, RFC 7616, RFC 8760)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from media_gateway.sip.grammar import (
    MalformedField,
    is_quoted,
    is_token,
    quote,
    split_outside,
    unquote,
)
from media_gateway.sip.message import Response

MAX_CHALLENGES = 8
"""Challenges read from one response: one for each realm and algorithm on the way."""
MAX_ROUNDS = 3
"""Times that one request is sent again with credentials, stale nonces included."""

_HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
_AVAILABLE = {
    name: constructor
    for name, constructor in _HASHES.items()
    if constructor in hashlib.algorithms_available
}
_ANSWER_TO = {
    "www-authenticate": "Authorization",
    "proxy-authenticate": "Proxy-Authorization",
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a trunk or phone account proves itself with."""

    user: str
    """User name within the realm."""

    password: str = field(repr=False)
    """Shared secret; never logged."""

    realm: str | None = None
    """The only realm they are for; None answers whoever asks."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One WWW-Authenticate or Proxy-Authenticate value."""

    realm: str
    """Protection domain, unquoted."""

    nonce: str
    """The challenger's nonce, unquoted."""

    algorithm: str = "MD5"
    """As the challenger wrote it; MD5 when it wrote none."""

    qop: str | None = None
    """`auth` if it is among those asked for, else `auth-int`; None for RFC 2069's way."""

    opaque: str | None = None
    """To be handed back unchanged."""

    stale: bool = False
    """Whether only the nonce was at fault, not the credentials."""

    @classmethod
    def parse(cls, text: str) -> Challenge:
        """Read a Digest challenge; `MalformedField` for other schemes and broken ones."""
        scheme, _, rest = text.strip().partition(" ")
        if scheme.lower() != "digest":
            raise MalformedField("Not A Digest Challenge")
        given = parse_auth_params(rest)
        if "realm" not in given or "nonce" not in given:
            raise MalformedField("Challenge Without Realm Or Nonce")
        challenge = cls(
            realm=given["realm"],
            nonce=given["nonce"],
            algorithm=given.get("algorithm", "MD5"),
            qop=_chosen_qop(given.get("qop")),
            opaque=given.get("opaque"),
            stale=given.get("stale", "").lower() == "true",
        )
        if challenge.hash_name not in _AVAILABLE:
            raise MalformedField("Unknown Digest Algorithm")
        return challenge

    @property
    def hash_name(self) -> str:
        """The algorithm without its session variant, upper case."""
        return self.algorithm.upper().removesuffix("-SESS")

    @property
    def is_session(self) -> bool:
        """Whether the key is hashed once more with both nonces."""
        return self.algorithm.upper().endswith("-SESS")


def parse_auth_params(text: str) -> dict[str, str]:
    """Read `a=b, c="d,e"` into lower-case names and unquoted values."""
    params: dict[str, str] = {}
    for part in split_outside(text, ","):
        name, equals, value = part.partition("=")
        name, value = name.strip().lower(), value.strip()
        if not equals or not is_token(name) or name in params:
            raise MalformedField("Bad Authentication Parameter")
        if value.startswith('"') and not is_quoted(value):
            raise MalformedField("Bad Authentication Parameter")
        params[name] = unquote(value)
    return params


def digest(
    challenge: Challenge,
    credentials: Credentials,
    *,
    method: str,
    uri: str,
    body: bytes = b"",
    cnonce: str = "",
    count: int = 1,
) -> str:
    """The request-digest of RFC 7616, section 3.4.1, in hexadecimal."""

    def hashed(*parts: str) -> str:
        text = ":".join(parts).encode("utf-8", "surrogateescape")
        return hashlib.new(_AVAILABLE[challenge.hash_name], text, usedforsecurity=False).hexdigest()

    key = hashed(credentials.user, challenge.realm, credentials.password)
    if challenge.is_session:
        key = hashed(key, challenge.nonce, cnonce)
    if challenge.qop == "auth-int":
        content = hashlib.new(_AVAILABLE[challenge.hash_name], body, usedforsecurity=False)
        asked = hashed(method, uri, content.hexdigest())
    else:
        asked = hashed(method, uri)
    if challenge.qop is None:
        return hashed(key, challenge.nonce, asked)
    return hashed(key, challenge.nonce, f"{count:08x}", cnonce, challenge.qop, asked)


class DigestSession:
    """The challenges met during one session, answered on every request that follows."""

    def __init__(self, credentials: Credentials | None, entropy: Callable[[], str]) -> None:
        self._credentials = credentials
        self._entropy = entropy
        self._answers: dict[tuple[str, str], tuple[Challenge, int]] = {}

    def learn(self, response: Response, attempt: int) -> bool:
        """Take in a 401 or 407; whether sending the request again may help.

        `attempt` counts the times this request was already sent with credentials.
        """
        if self._credentials is None or attempt >= MAX_ROUNDS:
            return False
        fresh = False
        for header, answer in _ANSWER_TO.items():
            for challenge in _challenges(response.headers.all(header)):
                if self._credentials.realm not in {None, challenge.realm}:
                    continue
                known = self._answers.get((answer, challenge.realm))
                # The same nonce again means that the credentials were refused.
                if known is None or known[0].nonce != challenge.nonce or challenge.stale:
                    fresh = fresh or known is None or challenge.stale or attempt == 0
                    self._answers[answer, challenge.realm] = (challenge, 0)
        return fresh

    def fields(self, method: str, uri: str, body: bytes) -> list[tuple[str, str]]:
        """The authorization headers of the next request; each use counts the nonce up."""
        fields = []
        for (header, realm), (challenge, count) in self._answers.items():
            self._answers[header, realm] = (challenge, count + 1)
            fields.append((header, self._answer(challenge, count + 1, method, uri, body)))
        return fields

    def _answer(self, challenge: Challenge, count: int, method: str, uri: str, body: bytes) -> str:
        assert self._credentials is not None, "answers exist only with credentials"
        cnonce = self._entropy() if challenge.qop or challenge.is_session else ""
        proof = digest(
            challenge,
            self._credentials,
            method=method,
            uri=uri,
            body=body,
            cnonce=cnonce,
            count=count,
        )
        parts = [
            f"username={quote(self._credentials.user)}",
            f"realm={quote(challenge.realm)}",
            f"nonce={quote(challenge.nonce)}",
            f'uri="{uri}"',
            f'response="{proof}"',
            f"algorithm={challenge.algorithm}",
        ]
        if cnonce:
            parts.append(f"cnonce={quote(cnonce)}")
        if challenge.qop:
            parts += [f"qop={challenge.qop}", f"nc={count:08x}"]
        if challenge.opaque is not None:
            parts.append(f"opaque={quote(challenge.opaque)}")
        return "Digest " + ", ".join(parts)


def _challenges(lines: list[str]) -> list[Challenge]:
    """For each realm the first challenge that we can answer (RFC 8760, section 2.4)."""
    chosen: dict[str, Challenge] = {}
    for line in lines[:MAX_CHALLENGES]:
        try:
            challenge = Challenge.parse(line)
        except MalformedField:
            continue
        chosen.setdefault(challenge.realm, challenge)
    return list(chosen.values())


def _chosen_qop(offered: str | None) -> str | None:
    if offered is None:
        return None
    options = [option.strip().lower() for option in offered.split(",")]
    for qop in ("auth", "auth-int"):
        if qop in options:
            return qop
    raise MalformedField("Unknown Quality Of Protection")
