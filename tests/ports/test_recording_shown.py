"""What every store must do about policies, waveforms and who listened."""

from __future__ import annotations

from services.recording.model.evidence import Listening
from services.recording.model.policy import Policy, Record
from services.recording.model.waveform import Waveform
from tests.ports.test_recording_store import ACME, CALL, OTHER, Stage, event, stage

__all__ = ["stage"]  # fixtures are found by their names here


async def test_a_policy_holds_for_its_tenant_until_the_next(stage: Stage) -> None:
    assert await stage.store.policy(ACME) == Policy()
    for policy in (Policy(Record.NEVER, agents_may_listen=False), Policy(agents_may_pause=False)):
        await stage.store.put_policy(ACME, policy)
        assert await stage.store.policy(ACME) == policy
    assert await stage.store.policy(OTHER) == Policy()


async def test_a_waveform_is_kept_until_it_is_drawn_anew(stage: Stage) -> None:
    assert await stage.store.waveform(ACME, CALL) is None
    for drawn in (Waveform(10, b"\0\xff", b"\x01\x02"), Waveform(20, b"", b"")):
        await stage.store.keep_waveform(ACME, CALL, drawn)
        assert await stage.store.waveform(ACME, CALL) == drawn
    assert await stage.store.waveform(OTHER, CALL) is None


async def test_listenings_are_kept_newest_first(stage: Stage) -> None:
    for number, who in enumerate(["anna", "ben", "anna"], start=1):
        listening = Listening(f"l{number}", CALL, who, who.title(), number * 1_000)
        await stage.store.add_listening(ACME, listening, [event(f"e{number}")])
    heard = await stage.store.listenings(ACME, CALL, "", 2)
    assert [each.listening_id for each in heard] == ["l3", "l2"]
    assert heard[1] == Listening("l2", CALL, "ben", "Ben", 2_000)
    assert [x.listening_id for x in await stage.store.listenings(ACME, CALL, "l2", 2)] == ["l1"]
    assert await stage.store.last_listened(ACME, CALL, "anna") == 3_000
    assert await stage.store.last_listened(ACME, CALL, "cleo") == 0
    assert await stage.store.listenings(OTHER, CALL, "", 2) == []
    assert await stage.told() == ["e1", "e2", "e3"]
