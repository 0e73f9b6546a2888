"""One call on one stream: events in, decisions of the core, steps out, effects done.

All decisions of a call are made one after another, here. Whatever the core asks for is done after
the step that asks for it is on its way: what is lost between the two is asked for again by the
replica that resumes the call, and every effect may be repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, replace

from protos.ivr.v1 import ivr_pb2
from services.chassis.clock import Clock
from services.chassis.errors import CarillonError
from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.chassis.tasks import Tasks
from services.ivr.core.codec import encode
from services.ivr.core.interpreter import advance, deadline_ms
from services.ivr.core.turn import Outcome
from services.ivr.customers import Customers
from services.ivr.figures import Figures
from services.ivr.flows import voice_for
from services.ivr.mailbox import Item, Mailbox
from services.ivr.model.actions import (
    Command,
    Effect,
    GatherDigits,
    HangUpCall,
    JoinQueue,
    LookUpCustomer,
    PlayPrompts,
)
from services.ivr.model.call import (
    Event,
    OperationEnded,
    OperationResult,
    QueueUnavailable,
    TimePassed,
)
from services.ivr.model.checkpoint import Checkpoint
from services.ivr.model.flow import Flow, Prompt
from services.ivr.prompts import Prompts
from services.ivr.routing import Routing
from services.ivr.settings import IvrSettings
from services.ivr.story import tell_step
from services.ivr.wire import command_message

log = get_logger("ivr.call")

MAX_EFFECTS = 64
"""Effects of one call that wait to be told."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What every session needs."""

    prompts: Prompts
    """Texts to blobs."""
    routing: Routing
    """acd."""
    customers: Customers
    """crm."""
    clock: Clock
    """What time it is."""
    settings: IvrSettings
    """Limits."""
    tasks: Tasks
    """Owns what outlives a session: telling acd the last things."""
    figures: Figures
    """Counts what is done."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far steps and events have come on a stream."""

    epoch: int
    """Of the stream."""
    step: int
    """The last step."""
    seq: int
    """The last event that is accounted for."""


class Session:
    """One call, as long as its stream lives."""

    def __init__(
        self, *, parts: Parts, tenant_id: TenantId, flow: Flow, position: Position
    ) -> None:
        self._parts = parts
        self._tenant_id = tenant_id
        self._flow = flow
        self._position = position
        self._at: Checkpoint | None = None
        self._mailbox = Mailbox()
        self._over = False
        self._following: tuple[str, asyncio.Task[None]] | None = None
        self._effects: asyncio.Queue[Effect | None] = asyncio.Queue(MAX_EFFECTS)
        self.told = asyncio.Event()
        """Set once acd was told everything that was decided here."""

    @property
    def tenant_id(self) -> TenantId:
        """Whose call it is."""
        return self._tenant_id

    async def leave(self) -> None:
        """Ends the stream soon, so that the gateway finds another replica."""
        await self._mailbox.close()

    async def steps(
        self, begin: Outcome, events: AsyncIterator[Item]
    ) -> AsyncGenerator[ivr_pb2.Step, None]:
        """Steps from the first decision to the end of the call or of the stream."""
        call_id = begin.checkpoint.call.call_id
        reading = self._parts.tasks.start(self._read(events), f"read {call_id}")
        self._parts.tasks.start(self._tell(call_id), f"tell {call_id}")
        self._look_up(call_id, begin.effects)
        heard_ms = self._parts.clock.now_ms()
        try:
            yield await self._step_of(begin, "begin", heard_ms)
            await self._do(begin.effects)
            while not self._over:
                item = await self._next()
                if item is None:
                    return
                heard_ms = self._parts.clock.now_ms()
                outcome = self._decide(item)
                if outcome is None:
                    continue
                if self._must_travel(item, outcome):
                    yield await self._step_of(outcome, type(item.event).__name__, heard_ms)
                self._at = outcome.checkpoint
                await self._do(outcome.effects)
        finally:
            reading.cancel()
            self._unfollow()
            self._over = True
            # What was decided is told to the end, whatever becomes of this stream.
            self._parts.tasks.start(self._finish(), f"finish {call_id}")

    # ---- what comes in ----

    async def _read(self, events: AsyncIterator[Item]) -> None:
        try:
            async for item in events:
                await self._mailbox.put(item)
        finally:
            await self._mailbox.close()

    async def _next(self) -> Item | None:
        assert self._at is not None
        deadline = deadline_ms(self._at)
        timeout_s = None
        if deadline is not None:
            timeout_s = max(0.0, (deadline - self._parts.clock.now_ms()) / 1_000)
        try:
            return await self._mailbox.get(timeout_s)
        except TimeoutError:
            return Item(TimePassed())

    def _decide(self, item: Item) -> Outcome | None:
        """What follows from an item; None when it was seen before."""
        assert self._at is not None
        if item.seq:
            if item.seq <= self._position.seq:
                return None
            self._position = Position(self._position.epoch, self._position.step, item.seq)
        if item.event is None:
            return Outcome(self._at, ignored="unknown-event")
        outcome = advance(self._flow, self._at, item.event, self._parts.clock.now_ms())
        if outcome.ignored:
            log.debug(
                "event ignored",
                call=self._at.call.call_id,
                kind=type(item.event).__name__,
                reason=outcome.ignored,
            )
        return outcome

    def _must_travel(self, item: Item, outcome: Outcome) -> bool:
        """Whether the gateway must keep it: news of a place alone is asked for again."""
        assert self._at is not None
        return bool(
            item.seq
            or outcome.commands
            or outcome.effects
            or outcome.checkpoint.stage is not self._at.stage
        )

    # ---- what goes out ----

    async def _step_of(self, outcome: Outcome, cause: str, heard_ms: int) -> ivr_pb2.Step:
        self._at = outcome.checkpoint
        commands = await self._messages(outcome.commands)
        tell_step(outcome, cause=cause, from_ms=heard_ms, to_ms=self._parts.clock.now_ms())
        self._parts.figures.steps += 1
        self._over = any(isinstance(command, HangUpCall) for command in outcome.commands)
        self._position = Position(self._position.epoch, self._position.step + 1, self._position.seq)
        return ivr_pb2.Step(
            epoch=self._position.epoch,
            step=self._position.step,
            consumed_seq=self._position.seq,
            checkpoint=encode(replace(outcome.checkpoint, consumed_seq=self._position.seq)),
            commands=commands,
            tenant_id=self._tenant_id,
        )

    async def _messages(self, commands: tuple[Command, ...]) -> list[ivr_pb2.Command]:
        messages = []
        for command in commands:
            if not isinstance(command, (PlayPrompts, GatherDigits)):
                messages.append(command_message(command, {}))
                continue
            try:
                blobs = await self._spoken(command.prompts)
            except (CarillonError, OSError, TimeoutError) as error:
                # No voice, no room for the blob, no time: to the caller it is all one.
                self._parts.figures.prompts_failed += 1
                log.warning("prompt failed", operation=command.operation, reason=repr(error))
                failed = OperationEnded(command.operation, OperationResult.FAILED)
                self._mailbox.put_first(Item(failed))
            else:
                messages.append(command_message(command, blobs))
        return messages

    async def _spoken(self, prompts: tuple[Prompt, ...]) -> dict[Prompt, str]:
        texts = [prompt for prompt in prompts if prompt.text]
        async with asyncio.timeout(self._parts.settings.render_limit_s):
            blobs = await asyncio.gather(
                *(
                    self._parts.prompts.blob(
                        prompt.text, prompt.language, voice_for(self._flow, prompt.language)
                    )
                    for prompt in texts
                )
            )
        return dict(zip(texts, blobs, strict=True))

    # ---- what is done ----

    async def _do(self, effects: tuple[Effect, ...]) -> None:
        assert self._at is not None
        stay = self._at.stay
        if self._following is not None and (stay is None or stay.entry_id != self._following[0]):
            self._unfollow()
        for effect in effects:
            if isinstance(effect, JoinQueue):
                self._follow(effect)
            elif not isinstance(effect, LookUpCustomer):
                await self._effects.put(effect)

    def _look_up(self, call_id: str, effects: tuple[Effect, ...]) -> None:
        """Asks who calls while the first words are still being spoken: it changes nothing."""
        for effect in effects:
            if isinstance(effect, LookUpCustomer):
                self._parts.tasks.start(self._learn(call_id, effect), f"look up {call_id}")

    async def _learn(self, call_id: str, asked: LookUpCustomer) -> None:
        event = await self._parts.customers.look_up(self._tenant_id, call_id, asked)
        if not self._over:
            await self._hear(event)

    def _follow(self, request: JoinQueue) -> None:
        self._unfollow()
        task = self._parts.tasks.start(self._wait(request), f"follow {request.entry_id}")
        self._following = (request.entry_id, task)

    async def _wait(self, request: JoinQueue) -> None:
        try:
            await self._parts.routing.follow(self._tenant_id, request, self._hear)
        except Exception:
            # A fault of this program must not leave a caller with music for ever.
            await self._hear(QueueUnavailable(request.entry_id, "internal"))
            raise

    def _unfollow(self) -> None:
        if self._following is not None:
            self._following[1].cancel()
            self._following = None

    async def _hear(self, event: Event) -> None:
        await self._mailbox.put(Item(event))

    async def _tell(self, call_id: str) -> None:
        """Tells acd one thing after another, in the order of the decisions."""
        try:
            while (effect := await self._effects.get()) is not None:
                answer = await self._parts.routing.tell(self._tenant_id, call_id, effect)
                if answer is not None and not self._over:
                    await self._mailbox.put(Item(answer))
        finally:
            self.told.set()

    async def _finish(self) -> None:
        await self._effects.put(None)
