"""From a language as people name it (BCP 47) to the voices that may speak it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_VOICES: Mapping[str, str] = MappingProxyType(
    {
        "en": "en-us",
        "fr": "fr-fr",
        "no": "nb",
        "zh": "cmn",
        "zh-hk": "yue",
        "zh-mo": "yue",
    }
)
"""Voices that are called otherwise than their language; Chinese is Mandarin unless told."""


COMMON = (
    *("en", "zh", "zh-HK", "es", "fr", "de", "it", "pt", "ro", "nl", "pl", "cs", "hu", "sv", "da"),
    *("nb", "fi", "el", "tr", "ru", "uk", "ar", "hi", "ja", "ko", "vi", "id"),
)
"""Languages that people are asked about, where a voice speaks them."""


def voices_for(language: str) -> tuple[str, ...]:
    """Voices for a tag, the nearest first: its own, then those of the tag without its last part."""
    parts = language.lower().split("-")
    found: list[str] = []
    for count in range(len(parts), 0, -1):
        tag = "-".join(parts[:count])
        found += [tag, *((_VOICES[tag],) if tag in _VOICES else ())]
    return tuple(found)
