"""Tokens and API keys: random text of which only the SHA-256 is kept.

They are 256 random bits, so a plain hash is enough: there is nothing to guess.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable

ACCESS_PREFIX = "cra_"
REFRESH_PREFIX = "crr_"
KEY_PREFIX = "crl_"
SECRET_BITS = 256
SHOWN_CHARS = 6
"""Of a secret, kept in the open to recognise it by: 36 of its 256 bits."""
_TOKEN = re.compile(r"cr[ar]_[A-Za-z0-9_-]{43}")
_KEY = re.compile(r"crl_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})_[A-Za-z0-9_-]{43}")

RandomBits = Callable[[int], int]


def new_token(prefix: str, random_bits: RandomBits) -> str:
    """A token with 256 random bits; the prefix lets people and scanners recognise it."""
    return prefix + _secret(random_bits)


def new_api_key(key_id: str, random_bits: RandomBits) -> str:
    """The whole key: its id, by which it is found, and its secret."""
    return f"{KEY_PREFIX}{key_id}_{_secret(random_bits)}"


def is_token(text: str, prefix: str) -> bool:
    """Whether text has the form of a token of this prefix."""
    return text.startswith(prefix) and _TOKEN.fullmatch(text) is not None


def key_id_of(text: str) -> str | None:
    """The id that an API key names; None when it is none."""
    match = _KEY.fullmatch(text)
    return None if match is None else match.group(1)


def shown_of(api_key: str) -> str:
    """The first characters of an API key's secret."""
    return api_key[-43:][:SHOWN_CHARS]


def sha256(text: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(text.encode(errors="replace")).digest()


def same(left: bytes, right: bytes) -> bool:
    """Whether two hashes are equal, in a time that tells nothing."""
    return hmac.compare_digest(left, right)


def _secret(random_bits: RandomBits) -> str:
    raw = random_bits(SECRET_BITS).to_bytes(SECRET_BITS // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
