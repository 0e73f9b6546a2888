"""Which gateways there are, by what they say of themselves; pure.

A gateway that falls silent is forgotten, yet never for silence alone the last one: when all fall
silent at once, it is rather the edge that hears nothing, and OPTIONS still tell who is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from services.chassis.errors import CarillonError, Kind

MAX_GATEWAYS = 500
_NAME = re.compile("[a-z0-9]{1,8}")
_INCARNATION = re.compile("[A-Za-z0-9._-]{1,64}")
_ADDRESS = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]{2,39}\]):([0-9]{1,5})")
_LINE = re.compile(r"1 sip:(\S+) (\d+) 0 gateway=([^;\s]+);incarnation=([^;\s]+)")
_OUT_OF_THE_SET = 4
"""Kamailio's flag of a destination that gets no calls and no OPTIONS."""


class State(StrEnum):
    """What a gateway does with new calls."""

    TAKING = "taking"
    FULL = "full"
    DRAINING = "draining"
    GONE = "gone"


class BadAnnouncement(CarillonError):
    """Not what a gateway says."""

    code: ClassVar[str] = "bad-announcement"
    kind: ClassVar[Kind] = Kind.INVALID


class GatewayNameTaken(CarillonError):
    """Two gateways of one name: give each a CARILLON_GATEWAY_GATEWAY_ID of its own."""

    code: ClassVar[str] = "gateway-name-taken"
    kind: ClassVar[Kind] = Kind.CONFLICT


class TooManyGateways(CarillonError):
    """More than an edge keeps."""

    code: ClassVar[str] = "too-many-gateways"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a gateway said last."""

    gateway_id: str
    """What the tags of its dialogs begin with."""
    incarnation: str
    """The process."""
    address: str
    """host:port of SIP by UDP."""
    state: State
    """What it does with new calls."""
    calls: int = 0
    """In progress."""
    at_ms: int = 0
    """When it said so, by the edge's clock."""

    def checked(self) -> Announcement:
        """Itself; BadAnnouncement for what cannot stand in a list."""
        port = _ADDRESS.fullmatch(self.address)
        if not _NAME.fullmatch(self.gateway_id):
            raise BadAnnouncement("gateway_id: 1 to 8 small letters and digits")
        if not _INCARNATION.fullmatch(self.incarnation):
            raise BadAnnouncement("incarnation: 1 to 64 letters, digits and any of . _ -")
        if port is None or not 0 < int(port[1]) < 65_536:
            raise BadAnnouncement("sip_address: host:port")
        return self

    @property
    def line(self) -> str:
        """Its line of Kamailio's list."""
        flags = 0 if self.state is State.TAKING else _OUT_OF_THE_SET
        named = f"gateway={self.gateway_id};incarnation={self.incarnation}"
        return f"1 sip:{self.address} {flags} 0 {named}\n"


class Book:
    """The gateways of one edge."""

    def __init__(self, *, expires_ms: int) -> None:
        self._expires_ms = expires_ms
        self._known: dict[str, Announcement] = {}

    def announce(self, said: Announcement) -> None:
        """Takes what a gateway says; BadAnnouncement, GatewayNameTaken, TooManyGateways."""
        said.checked()
        known = self._known.get(said.gateway_id)
        same = known is None or known.incarnation == said.incarnation
        if said.state is State.GONE:
            if same:
                self._known.pop(said.gateway_id, None)
            return
        # One that was started again has its predecessor's address, or comes when that is forgotten.
        if known is not None and not same and self._holds(known, said):
            raise GatewayNameTaken(f"{said.gateway_id} is at {known.address}")
        if known is None and len(self._known) >= MAX_GATEWAYS:
            raise TooManyGateways(f"{MAX_GATEWAYS} are known")
        self._known[said.gateway_id] = said

    def remember(self, lines: Iterable[str], now_ms: int) -> None:
        """Takes the list that was in force before: its gateways are as good as just heard of."""
        for line in lines:
            match = _LINE.fullmatch(line.strip())
            if match and len(self._known) < MAX_GATEWAYS:
                address, flags, gateway_id, incarnation = match.groups()
                state = State.DRAINING if int(flags) & _OUT_OF_THE_SET else State.TAKING
                self._known.setdefault(
                    gateway_id, Announcement(gateway_id, incarnation, address, state, 0, now_ms)
                )

    def present(self, now_ms: int) -> list[Announcement]:
        """The gateways by name; those that are silent are forgotten if somebody takes calls."""
        fresh = {
            name: said
            for name, said in self._known.items()
            if now_ms - said.at_ms < self._expires_ms
        }
        if any(said.state is State.TAKING for said in fresh.values()):
            self._known = fresh
        return [self._known[name] for name in sorted(self._known)]

    def _holds(self, known: Announcement, other: Announcement) -> bool:
        return known.address != other.address and other.at_ms - known.at_ms < self._expires_ms

    def forgive(self, pause_ms: int) -> None:
        """For so long nobody could be heard: it is no silence of theirs."""
        self._known = {
            name: replace(said, at_ms=said.at_ms + pause_ms) for name, said in self._known.items()
        }
