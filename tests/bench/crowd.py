"""Many callers and as many agents' phones, in a process of their own and at little cost."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Final, Self

import uvloop

from tests.bench.crowd_sip import Leg, Switchboard
from tests.bench.crowd_voice import HOST, Heard, Lanes, Voice

GIVE_UP_S: Final = 60.0
PRESS_PAUSE_S: Final = 0.2
"""From the first audio to the key: nobody is faster."""
KEY: Final = 1
MAX_TIMES: Final = 100_000
MAX_TURNS: Final = 10_000


@dataclass(slots=True)
class Tally:
    """What became of the calls since it was asked for last."""

    answered: int = 0
    ended: int = 0
    """In good order."""
    failed: Counter[int] = field(default_factory=Counter)
    """By SIP status; 408: nobody answered."""
    connected: int = 0
    """Agents who were rung and answered."""
    callers: int = 0
    """With a call that is up, now."""
    agents: int = 0
    """The same."""
    answer_ms: list[float] = field(default_factory=list)
    """From the INVITE to the answer."""
    audio_ms: list[float] = field(default_factory=list)
    """From the INVITE to the first packet."""
    heard: Heard = field(default_factory=Heard)
    """By the legs of those who listened and have ended."""
    behind_ms: float = 0.0
    """How late the crowd itself was at most."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What calls there are to be."""

    at_once: int
    """One after the other in so many places."""
    number: str
    """That is dialled."""
    port: int
    """Where, on loopback."""
    life_s: float
    """Of a call, from its INVITE."""
    ramp_s: float
    """That the first calls are spread over."""
    listen: int = 0
    """Callers who read and judge what comes to them."""


class Crowd:
    """Tells the other process what to do."""

    def __enter__(self) -> Self:
        self._pipe, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=_run, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()  # so that its end is an end here
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(BrokenPipeError):  # it has ended
            self._pipe.send(("leave",))
        self._process.join(GIVE_UP_S)

    @property
    def pid(self) -> int:
        """Of the other process."""
        assert self._process.pid is not None
        return self._process.pid

    async def open(self) -> int:
        """Phones that answer from now on: agent n's is `sip:n@127.0.0.1:` with this port."""
        return int(await self._ask("open"))

    async def keep(self, wish: Wish) -> None:
        """Calls that go on when this returns."""
        await self._ask("keep", wish)

    async def tally(self) -> Tally:
        """What became of them since it was asked last."""
        told: Tally = await self._ask("tally")
        return told

    async def stop(self) -> None:
        """All callers hang up; returns when every leg is over, or after 20 s."""
        await self._ask("stop")

    async def _ask(self, *words: Any) -> Any:
        self._pipe.send(words)
        reply = await asyncio.get_running_loop().run_in_executor(None, self._pipe.recv)
        if isinstance(reply, Exception):
            raise reply
        return reply


def _run(pipe: Connection) -> None:
    uvloop.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    stand = _Stand()
    while True:
        verb, *words = await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
        if verb == "leave":
            return
        try:
            pipe.send(await getattr(stand, verb)(*words))
        except Exception as error:  # noqa: BLE001 - told to who asked
            pipe.send(RuntimeError(f"{verb}: {error!r}"))


class _Stand:
    """All of them."""

    def __init__(self) -> None:
        self._lanes = Lanes()
        self._tally = Tally()
        self._calls: dict[Leg, asyncio.Future[None]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._voices = 0
        self._listens = False

    async def open(self) -> int:
        loop = asyncio.get_running_loop()
        _, self._board = await loop.create_datagram_endpoint(
            lambda: Switchboard(self), local_addr=(HOST, 0)
        )
        self._sending = asyncio.ensure_future(self._lanes.run())
        return self._board.port

    async def keep(self, wish: Wish) -> None:
        for slot in range(wish.at_once):
            self._tasks.append(asyncio.ensure_future(self._one_after_another(wish, slot)))

    async def tally(self) -> Tally:
        told, self._tally = self._tally, Tally()
        legs = self._board.legs
        told.callers = sum(leg.up and not leg.agent for leg in legs)
        told.agents = sum(leg.up and leg.agent for leg in legs)
        told.behind_ms, self._lanes.behind_ms = self._lanes.behind_ms, 0.0
        return told

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        for leg in self._board.legs:
            if not leg.agent:
                self._board.hang_up(leg)
        for _ in range(200):
            if not self._board.legs:
                return
            await asyncio.sleep(0.1)

    def voice(self, *, agent: bool, first: Callable[[], None]) -> Voice:
        self._voices += 1
        voice = Voice(self._voices, listens=self._listens and not agent, first=first)
        self._lanes.add(voice)
        return voice

    def talking(self, leg: Leg) -> None:
        if leg.agent:
            self._tally.connected += 1
            return
        self._tally.answered += 1
        if len(self._tally.answer_ms) < MAX_TIMES:
            self._tally.answer_ms.append(1_000 * (leg.answered_s - leg.began_s))

    def over(self, leg: Leg, status: int) -> None:
        self._lanes.remove(leg.voice)
        if leg.agent:
            return
        if status == 200:
            self._tally.ended += 1
        else:
            self._tally.failed[status] += 1
        self._tally.heard.add(leg.voice.heard)
        ended = self._calls.pop(leg, None)
        if ended is not None and not ended.done():
            ended.set_result(None)

    async def _one_after_another(self, wish: Wish, slot: int) -> None:
        await asyncio.sleep(wish.ramp_s * slot / wish.at_once)
        for turn in range(MAX_TURNS):
            self._listens = slot < wish.listen
            caller = f"+1646{slot:03d}{turn:04d}"
            leg = self._board.call(caller, wish.number, wish.port)
            self._listens = False
            self._calls[leg] = ended = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(wish.life_s):
                    await self._press(leg)
                    await ended
            except TimeoutError:
                self._board.hang_up(leg)
            # A call that was refused is not tried again at once.
            await asyncio.sleep(PRESS_PAUSE_S)

    async def _press(self, leg: Leg) -> None:
        while not leg.heard_s and not leg.gone:  # noqa: ASYNC110 (the switchboard knows no events)
            await asyncio.sleep(0.02)
        if leg.heard_s:
            self._tally.audio_ms.append(1_000 * (leg.heard_s - leg.began_s))
            await asyncio.sleep(PRESS_PAUSE_S)
            leg.voice.press(KEY)
