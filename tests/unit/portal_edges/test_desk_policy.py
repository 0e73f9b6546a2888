"""A desk keeps to what the tenant decided, and works on while nobody can say what that was."""

from __future__ import annotations

from protos.portal.v1 import desk_pb2
from services.portal.desk_policy import FRESH_MS
from tests.unit.portal_edges.desk_stage import WHO, DeskStage, ring
from tests.unit.portal_edges.test_desk import refused, stage, work

__all__ = ["stage"]  # fixtures are found by their names here

PAUSE = desk_pb2.PauseRecordingRequest(reservation_id="e1.1", reason="card")
GET = desk_pb2.GetDeskRequest()


def given(code: str) -> desk_pb2.DispositionRequest:
    return desk_pb2.DispositionRequest(reservation_id="e1.1", code=code)


def talking(stage: DeskStage) -> None:
    stage.acd.has(ring(stage="bridged"))
    stage.gateway.carries("call-e1", "e1.1", state="bridged")


async def test_agents_pause_recordings_only_where_they_may(stage: DeskStage) -> None:
    talking(stage)
    assert work(await stage.desk.PauseRecording(PAUSE, metadata=WHO)).recording == "paused"
    stage.recordings.policy.agents_may_pause = False
    error = await refused(stage.desk.PauseRecording(PAUSE, metadata=WHO))
    assert error.code == "pausing-not-allowed"
    assert len(stage.gateway.asked) == 1
    # What is paused is taken up again all the same.
    resume = desk_pb2.WorkRequest(reservation_id="e1.1")
    assert work(await stage.desk.ResumeRecording(resume, metadata=WHO)).recording == "on"


async def test_while_recording_is_away_what_was_last_known_holds(stage: DeskStage) -> None:
    talking(stage)
    stage.recordings.away = True
    await stage.desk.PauseRecording(PAUSE, metadata=WHO)
    stage.recordings.away = False
    stage.recordings.policy.agents_may_pause = False
    await refused(stage.desk.PauseRecording(PAUSE, metadata=WHO))
    stage.recordings.away = True
    error = await refused(stage.desk.PauseRecording(PAUSE, metadata=WHO))
    assert error.code == "pausing-not-allowed"


async def test_a_contact_is_about_what_its_queue_offers(stage: DeskStage) -> None:
    talking(stage)
    await stage.desk.SetDisposition(given("anything"), metadata=WHO)
    stage.people.dispositions["sales"] = ["sold", "other"]
    for ask in (stage.desk.SetDisposition, stage.desk.FinishWrapUp):
        asked = len(stage.acd.asked)
        assert (await refused(ask(given("anything"), metadata=WHO))).code == "no-such-disposition"
        assert len(stage.acd.asked) == asked
        await ask(given("sold"), metadata=WHO)
        assert stage.acd.asked[-1].code == "sold"
    # What was said before stays: nothing new need be said to end.
    await stage.desk.FinishWrapUp(given(""), metadata=WHO)


async def test_the_desk_shows_what_may_be_said_and_soon_knows_of_changes(stage: DeskStage) -> None:
    talking(stage)
    assert not work(await stage.desk.GetDesk(GET, metadata=WHO)).dispositions
    stage.people.dispositions["sales"] = ["sold", "other"]
    stage.clock.at_ms += FRESH_MS
    for _ in range(2):
        shown = work(await stage.desk.GetDesk(GET, metadata=WHO)).dispositions
        assert list(shown) == ["sold", "other"]
        stage.people.away = True
        stage.clock.at_ms += FRESH_MS


async def test_a_contact_ends_though_nobody_can_say_what_may_be_said(stage: DeskStage) -> None:
    talking(stage)
    stage.people.away = True
    await stage.desk.FinishWrapUp(given("anything"), metadata=WHO)
    assert stage.acd.asked[-1].code == "anything"
