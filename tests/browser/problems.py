"""What a person at a browser complains of."""

from __future__ import annotations


class NotHeard(AssertionError):
    """A tone was not heard in time."""


class Troubled(AssertionError):
    """The page said in its console that something failed."""
