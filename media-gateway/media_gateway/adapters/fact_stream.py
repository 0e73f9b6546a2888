"""What happens in this gateway's calls, to whoever watches, as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar

from protos.gateway.v1.events_pb2 import CallFact
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import TenantId
from services.chassis.request import PLATFORM

MAX_BEHIND = 1_024
MAX_WATCHERS = 64
MAX_UNNAMED = 64
"""Facts of one call that are kept until it is known whose it is."""


class WatcherTooSlow(CarillonError):
    """The reader fell more than 1,024 facts behind."""

    code: ClassVar[str] = "watcher-too-slow"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


class TooManyWatchers(CarillonError):
    """Sixty-four readers watch already."""

    code: ClassVar[str] = "too-many-watchers"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


class Watcher:
    """One reader's place in the stream."""

    def __init__(self, scope: TenantId, call_id: str) -> None:
        self._scope = scope
        self._call_id = call_id
        self._mailbox: asyncio.Queue[CallFact] = asyncio.Queue(MAX_BEHIND)
        self._cut_off = False

    def offer_fact(self, fact: CallFact, *, named_late: bool) -> None:
        """Puts a fact in its mailbox if it is this reader's to see.

        The platform sees a fact when it happens; a tenant when it is known to be the tenant's,
        which for a call's first facts is later.
        """
        if self._call_id and fact.call_id != self._call_id:
            return
        if named_late if self._scope == PLATFORM else fact.tenant_id != self._scope:
            return
        try:
            self._mailbox.put_nowait(fact)
        except asyncio.QueueFull:
            self._cut_off = True

    async def read(self) -> AsyncGenerator[CallFact, None]:
        """The facts in order; WatcherTooSlow at once when the reader fell behind."""
        while True:
            if self._cut_off:
                raise WatcherTooSlow(f"more than {MAX_BEHIND} facts behind")
            yield await self._mailbox.get()


class FactStream:
    """Hands each fact to every watcher that may see it."""

    def __init__(self, *, keep: Callable[[CallFact], None] | None = None) -> None:
        """`keep` is told every fact first: what becomes of it does not depend on who watches."""
        self._keep = keep
        self._watchers: set[Watcher] = set()
        self._unnamed: dict[str, list[CallFact]] = {}

    def publish(self, fact: CallFact) -> None:
        """Tells a fact; facts of a call that is not known to be anybody's are kept for later."""
        if self._keep is not None:
            self._keep(fact)
        if fact.tenant_id:
            self._name_earlier(fact)
        elif fact.HasField("call_ended"):
            self._unnamed.pop(fact.call_id, None)  # it ended before it was known whose it was
        else:
            earlier = self._unnamed.setdefault(fact.call_id, [])
            if len(earlier) < MAX_UNNAMED:
                earlier.append(fact)
        for watcher in self._watchers:
            watcher.offer_fact(fact, named_late=False)

    @contextmanager
    def watching(self, scope: TenantId, call_id: str) -> Iterator[Watcher]:
        """A watcher from now on until the block ends; TooManyWatchers."""
        if len(self._watchers) >= MAX_WATCHERS:
            raise TooManyWatchers(f"{MAX_WATCHERS} watch already")
        watcher = Watcher(scope, call_id)
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    def _name_earlier(self, fact: CallFact) -> None:
        for earlier in self._unnamed.pop(fact.call_id, ()):
            named = CallFact()
            named.CopyFrom(earlier)
            named.tenant_id = fact.tenant_id
            for watcher in self._watchers:
                watcher.offer_fact(named, named_late=True)
