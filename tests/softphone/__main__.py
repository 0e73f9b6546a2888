"""The phone on the command line: `python -m tests.softphone call|answer ...`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tests.softphone.arguments import parser_of
from tests.softphone.call import Call, Ended
from tests.softphone.errors import NeverRang, NotInTime, PhoneError
from tests.softphone.incoming import Answer, IncomingCall, Policy, Reject
from tests.softphone.narrator import Narrator, summary
from tests.softphone.outgoing import OutgoingCall
from tests.softphone.phone import SoftPhone

OK: Final = 0
FAILED: Final = 1
INTERRUPTED: Final = 130
ACK_WAIT_S: Final = 40.0
"""A little more than 64*T1, after which an answer without ACK has failed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = parser_of({"call": _call, "answer": _answer}).parse_args(arguments)
    out = sys.stderr if options.json else sys.stdout

    def write(line: str) -> None:
        print(line, file=out, flush=True)

    before = signal.getsignal(signal.SIGTERM)
    try:
        code, report = asyncio.run(_until_ended(options, write))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED
    except OSError as error:
        write(f"softphone: {error}")
        return FAILED
    finally:
        signal.signal(signal.SIGTERM, before)
    if options.json:
        print(json.dumps(report, indent=2))
    return int(code)


async def _until_ended(
    options: argparse.Namespace, write: Callable[[str], None]
) -> tuple[int, dict[str, Any]]:
    """Whoever ends it by its id wants the call hung up, too: between two steps, not within one."""
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    done: tuple[int, dict[str, Any]] = await options.run(options, write)
    return done


@dataclass(frozen=True, slots=True)
class _Desk:
    """What everything on the command line works with."""

    options: argparse.Namespace
    phone: SoftPhone
    narrator: Narrator
    who: str = ""
    """Which call is spoken of, when there may be several."""

    def tell(self, text: str) -> None:
        self.narrator.tell(text, who=self.who)


async def _call(
    options: argparse.Namespace, write: Callable[[str], None]
) -> tuple[int, dict[str, Any]]:
    async with _phone(options, auto=None) as phone:
        desk = _Desk(options, phone, Narrator(write))
        call = await phone.call(
            options.uri, headers=dict(options.header), timeout_s=options.timeout
        )
        desk.tell(f"calling {options.uri} from {phone.uri}")
        error = None
        async with _listening(desk, call):
            try:
                await _tell_ringing(call, desk)
                await call.answered(options.timeout)
                desk.tell("answered")
                await _talk(call, desk)
            except PhoneError as problem:
                error = problem
        return _conclude(desk, call, await _finish(call), error)


async def _tell_ringing(call: OutgoingCall, desk: _Desk) -> None:
    with contextlib.suppress(NeverRang):
        await call.ringing(desk.options.timeout)
        desk.tell(f"ringing ({call.provisional[-1]})")


async def _talk(call: Call, desk: _Desk) -> None:
    """Say and press what was asked for; returns when the far end or the time ends the call."""
    options = desk.options
    if options.say is not None:
        call.say(options.say)
    if options.tone is not None:
        call.play_tone(options.tone)
    deadline_s = asyncio.get_running_loop().time() + options.seconds
    if options.dtmf:
        if await _over_within(call, min(options.after, options.seconds)):
            return
        desk.tell(f"presses {options.dtmf}")
        await call.send_dtmf(options.dtmf, how=options.dtmf_how)
    await _over_within(call, max(0.0, deadline_s - asyncio.get_running_loop().time()))


async def _over_within(call: Call, seconds: float) -> bool:
    with contextlib.suppress(NotInTime):
        await call.ended(seconds)
    return call.ended_already is not None


async def _finish(call: Call) -> Ended:
    """Hang up what is still there, and tell how it ended."""
    if isinstance(call, OutgoingCall) and not call.provisional and not call.is_up:
        # Nothing answered at all: a CANCEL must not be sent, and there is nobody to wait for.
        call.abandon()
    if call.ended_already is None:
        await call.hangup()
    return await call.ended()


def _conclude(
    desk: _Desk, call: Call, ended: Ended, error: PhoneError | None
) -> tuple[int, dict[str, Any]]:
    desk.narrator.tell_end(call, ended, who=desk.who)
    for fault in desk.phone.faults:
        desk.tell(f"fault of the far end: {fault}")
    if desk.options.record is not None:
        call.save_wav(desk.options.record)
        desk.tell(f"what was heard is in {desk.options.record}")
    return OK if error is None else FAILED, summary(desk.phone, call, ended, error)


async def _answer(
    options: argparse.Namespace, write: Callable[[str], None]
) -> tuple[int, dict[str, Any]]:
    policy: Policy = Answer(ring_s=options.ring)
    if options.reject is not None:
        policy = Reject(options.reject, ring_s=options.ring)
    serving: list[asyncio.Task[tuple[int, dict[str, Any]]]] = []
    code = OK
    async with _phone(options, auto=policy) as phone, asyncio.TaskGroup() as calls:
        desk = _Desk(options, phone, Narrator(write))
        desk.tell(f"waiting for calls as {phone.uri}")
        for number in range(1, options.calls + 1):
            try:
                call = await phone.incoming(options.wait)
            except NotInTime:
                desk.tell(f"no call came within {options.wait:g} s")
                code = FAILED
                break
            task = calls.create_task(_serve(call, replace(desk, who=f"{number}")))
            serving.append(task)
    results = [task.result() for task in serving]
    return max([code, *(result[0] for result in results)]), {"calls": [r[1] for r in results]}


async def _serve(call: IncomingCall, desk: _Desk) -> tuple[int, dict[str, Any]]:
    """One incoming call, from its INVITE to its end."""
    desk.tell(f"a call from {call.header('From')} to {call.invite.uri}")
    error = None
    async with _listening(desk, call):
        try:
            await call.answered(desk.options.ring + ACK_WAIT_S)
            desk.tell("answered")
            await _talk(call, desk)
        except PhoneError as problem:
            # Refusing is what --reject asks for.
            error = problem if desk.options.reject is None else None
    return _conclude(desk, call, await _finish(call), error)


@contextlib.asynccontextmanager
async def _listening(desk: _Desk, call: Call) -> AsyncIterator[None]:
    task = asyncio.create_task(desk.narrator.listen(call, who=desk.who))
    try:
        yield
    finally:
        task.cancel()


def _phone(options: argparse.Namespace, *, auto: Policy | None) -> SoftPhone:
    return SoftPhone(
        host=options.host,
        port=options.port,
        user=options.user,
        display=options.display,
        codecs=tuple(options.codec or ("PCMU", "PCMA")),
        auto=auto,
        require_auth=getattr(options, "auth", None),
    )


if __name__ == "__main__":
    sys.exit(main())
