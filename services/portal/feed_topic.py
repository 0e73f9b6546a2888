"""What a feed can follow: one thing's present state, and its changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

Put = Callable[[str], None]
"""Takes news for a feed's reader, as the inside of a JSON object; must not block."""
Fields = dict[str, Any]


class Topic:
    """Hands one thing's present state, and then its changes, to whoever follows it.

    Followers that come before anything is known get the state as soon as it is. After a stretch
    in which changes may have been missed, `restart` gives everybody the whole state again.
    """

    def __init__(self, name: str, *, state: Callable[[], Fields | None]) -> None:
        """`state` tells the present state; None: nothing is known yet."""
        self._name = name
        self._state = state
        self._waiting: set[Put] = set()
        self._followers: set[Put] = set()
        self.number = 0
        """How many changes there were."""

    def follow(self, put: Put) -> None:
        """Begins with the present state."""
        self._waiting.add(put)
        self._welcome()

    def unfollow(self, put: Put) -> None:
        """Ends it."""
        self._followers.discard(put)
        self._waiting.discard(put)

    def change(self, fields: Fields) -> None:
        """Tells a change."""
        self.number += 1
        inside = self._inside(fields)
        for put in tuple(self._followers):
            put(inside)
        # Who waited gets the state, which holds this change already.
        self._welcome()

    def restart(self) -> None:
        """Tells everybody everything."""
        self._waiting |= self._followers
        self._followers.clear()
        self._welcome()

    def _welcome(self) -> None:
        fields = self._state() if self._waiting else None
        if fields is None:
            return
        inside = self._inside(fields)
        waiting, self._waiting = self._waiting, set()
        self._followers |= waiting
        for put in waiting:
            put(inside)

    def _inside(self, fields: Fields) -> str:
        # Written once, however many pages are told.
        return as_text({"topic": self._name, **fields})[1:-1]


def as_text(fields: Fields) -> str:
    """A message of the feed as it travels."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def shown(message: Message) -> Fields:
    """A proto message within a message of the feed, as REST would show it."""
    fields: Fields = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return fields
