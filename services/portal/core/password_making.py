"""Passwords that are made for people: to be read out and typed once, and not to be guessed."""

from __future__ import annotations

_CONSONANTS = "bcdfghjklmnprstv"
"""None that looks like another, or sounds like one."""
_VOWELS = "aeiou"
_PATTERN = (_CONSONANTS, _VOWELS, _CONSONANTS, _VOWELS, _CONSONANTS)
WORDS = 5
RANDOM_BITS = 96
"""Of which 83 make the password: 102,400 words, five times."""


def made_password(bits: int) -> str:
    """Five words that can be spoken, of `RANDOM_BITS` random bits, like `bamuk-tirol-fesap-...`."""
    words = []
    for _ in range(WORDS):
        word = ""
        for letters in _PATTERN:
            bits, place = divmod(bits, len(letters))
            word += letters[place]
        words.append(word)
    return "-".join(words)
