"""What a caller hears and keys, from a gateway with an interpreter that plays a scenario."""

from __future__ import annotations

import pytest

from protos.ivr.v1 import ivr_pb2
from tests.e2e.gateway_stage import (
    MUSIC,
    Stage,
    Talk,
    answer,
    gather,
    play,
    until_the_end,
)
from tests.softphone.phone import SoftPhone


async def test_a_caller_is_answered_and_hears_a_prompt() -> None:
    async def script(talk: Talk) -> None:
        assert getattr(talk.first.invited, "from") == "caller"
        assert talk.first.invited.to == "+12025550100"
        assert talk.first.invited.trunk == "local"
        await talk.step(answer(), play("tone", prompt))
        ended = await talk.until("operation_ended")
        assert (ended.operation, ended.reason) == ("tone", ivr_pb2.OperationEnded.REASON_COMPLETE)
        await talk.hang_up()

    async with Stage(script) as stage, SoftPhone() as phone:
        prompt = await stage.put_tone(700, 0.6)
        call = await phone.call(stage.uri)
        await call.answered()
        await call.hears_tone(700, within_s=2)
        assert (await call.ended()).by != "us"
        assert await stage.ended() == ("success", "handled")
        assert call.stats().sequence_jumps == 0
        assert phone.faults == []
