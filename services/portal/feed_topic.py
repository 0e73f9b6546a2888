"""What a feed can follow: one thing's present state, and its changes by number."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

Put = Callable[[str], None]
"""Takes one message for a feed's reader, as JSON text; must not block."""
Fields = dict[str, Any]


class Topic:
    """Numbers the changes of one thing and hands them to whoever follows it.

    Followers that come before anything is known get their snapshot as soon as it is. After a
    stretch in which changes may have been missed, `restart` gives everybody a new snapshot.
    """

    def __init__(self, name: str, *, snapshot: Callable[[], Fields | None]) -> None:
        """`snapshot` tells the present state; None: nothing is known yet."""
        self._name = name
        self._snapshot = snapshot
        self._waiting: set[Put] = set()
        self._followers: set[Put] = set()
        self.number = 0
        """Of the last change."""

    def follow(self, put: Put) -> None:
        """Begins with a snapshot."""
        fields = self._snapshot()
        if fields is None:
            self._waiting.add(put)
            return
        put(self._text("snapshot", fields))
        self._followers.add(put)

    def unfollow(self, put: Put) -> None:
        """Ends it."""
        self._followers.discard(put)
        self._waiting.discard(put)

    def change(self, fields: Fields) -> None:
        """Tells a change, with the next number."""
        self.number += 1
        text = self._text("change", fields)
        for put in tuple(self._followers):
            put(text)
        # Who waited gets a snapshot, which holds this change already.
        self._welcome()

    def restart(self) -> None:
        """Tells everybody everything."""
        self._waiting |= self._followers
        self._followers.clear()
        self._welcome()

    def _welcome(self) -> None:
        if not self._waiting:
            return
        fields = self._snapshot()
        if fields is None:
            return
        text = self._text("snapshot", fields)
        waiting, self._waiting = self._waiting, set()
        for put in waiting:
            put(text)
        self._followers |= waiting

    def _text(self, kind: str, fields: Fields) -> str:
        return as_text({"type": kind, "topic": self._name, "number": self.number, **fields})


def as_text(fields: Fields) -> str:
    """A message of the feed as it travels."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def shown(message: Message) -> Fields:
    """A proto message within a message of the feed, as REST would show it."""
    fields: Fields = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return fields
