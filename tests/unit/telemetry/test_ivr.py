"""What ivr shows of itself."""

from __future__ import annotations

from tests.unit.ivr.test_calls import Stage, queued, stage
from tests.unit.telemetry.shown import shown, until

__all__ = ["stage"]  # a fixture is found by its name in the module


async def test_calls_steps_and_look_ups_are_counted(stage: Stage) -> None:
    before = shown(stage.running.metrics)
    assert before["carillon_ivr_sessions"] == before["carillon_ivr_steps_total"] == 0
    call = await queued(stage)
    values = shown(stage.running.metrics)
    assert values["carillon_ivr_sessions"] == values["carillon_ivr_calls_total"] == 1
    assert values["carillon_ivr_flows_cached"] == 1
    assert values["carillon_ivr_steps_total"] >= call.last.step
    # There is no crm: the call goes on with a caller whom nobody knows.
    assert (
        values["carillon_ivr_look_ups_total"] == values["carillon_ivr_look_ups_failed_total"] == 1
    )
    assert 0 < values["carillon_ivr_look_up_seconds_total"] < 1
    call.stream.cancel()
    await until(lambda: not shown(stage.running.metrics)["carillon_ivr_sessions"])


async def test_a_queue_that_is_lost_is_counted(stage: Stage) -> None:
    await queued(stage)
    request = await stage.acd.heard("Enqueue")
    await stage.acd.say(request.entry_id)  # the stream ends
    await stage.acd.heard("Enqueue", 2)
    values = shown(stage.running.metrics)
    assert values["carillon_ivr_queue_losses_total"] == 1
    assert values["carillon_ivr_queue_refusals_total"] == 0
