"""Tells what happens on a call while it happens, and sums it up at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from tests.softphone.call import Call, Ended
from tests.softphone.errors import CallRefused, PhoneError
from tests.softphone.phone import SoftPhone

LISTEN_S: Final = 0.25
"""How often the ear is asked."""
_TOLD_AFTER: Final = {"audio": 1, "silence": 4, "a tone": 6}
"""For how many askings a sound must last: notes of music and pauses of a voice are not told."""
_ENDINGS: Final = {
    ("us", "bye"): "hung up",
    ("peer", "bye"): "the far end hung up",
    ("us", "cancel"): "gave up before the answer",
    ("peer", "cancel"): "the caller gave up before the answer",
    ("us", "refused"): "refused the call",
    ("peer", "refused"): "the call was refused",
}


class Narrator:
    """Writes one line per event, with the seconds since it began, through `write`."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._loop = asyncio.get_running_loop()
        self._began_at_s = self._loop.time()

    def tell(self, text: str, *, who: str = "") -> None:
        at_s = self._loop.time() - self._began_at_s
        self._write(f"{at_s:9.3f}  {f'[{who}] ' if who else ''}{text}")

    async def listen(self, call: Call, *, who: str = "") -> None:
        """Tell each change of what is heard, and each key, until the call ends."""
        told = sound = "silence"
        lasted = keys = 0
        while call.ended_already is None:
            now, digits = call.describe_sound(), call.digits() + call.digits("info")
            kind = now.partition(" at ")[0]
            sound, lasted = kind, lasted + 1 if kind == sound else 1
            if kind != told and lasted >= _TOLD_AFTER[kind.partition(" of ")[0]]:
                told = kind
                self.tell(f"hears {now}", who=who)
            if len(digits) > keys:
                keys = len(digits)
                self.tell(f"received keys: {digits}", who=who)
            await asyncio.sleep(LISTEN_S)

    def tell_end(self, call: Call, ended: Ended, *, who: str = "") -> None:
        text = _ENDINGS.get((ended.by, ended.how), "nobody answered in time")
        status = f": {ended.status} {ended.phrase}".rstrip() if ended.status else ""
        reason = f" (Reason: {ended.reason})" if ended.reason else ""
        self.tell(text + status + reason, who=who)
        stats = call.stats()
        if not stats.packets_in + stats.packets_out:
            return
        self.tell(
            f"media: {stats.packets_in} packets in, {stats.packets_out} out, {stats.lost} lost, "
            f"jitter {stats.jitter_ms} ms, longest gap {stats.longest_gap_ms} ms",
            who=who,
        )


def summary(phone: SoftPhone, call: Call, ended: Ended, error: PhoneError | None) -> dict[str, Any]:
    """One call as JSON can carry it."""
    if error is not None:
        outcome = "refused" if isinstance(error, CallRefused) else "failed"
    else:
        outcome = "answered" if call.answered_after_s is not None else "not answered"
    return {
        "outcome": outcome,
        "error": None if error is None else str(error).partition("\n")[0],
        "call_id": call.call_id,
        "rang_after_s": call.rang_after_s,
        "answered_after_s": call.answered_after_s,
        "early_media": call.early_media,
        "ended": asdict(ended),
        "digits": {"rfc4733": call.digits(), "info": call.digits("info")},
        "media": asdict(call.stats()),
        "faults": phone.faults,
        "ladder": [asdict(step) for step in phone.ladder if step.call_id == call.call_id],
    }
