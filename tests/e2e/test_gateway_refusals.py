"""What the gateway takes in good part: media that stops, strangers, answers that never come."""

from __future__ import annotations

import pytest

from tests.e2e.gateway_stage import Stage, hold_on
from tests.softphone.phone import SoftPhone

pytestmark = pytest.mark.e2e


async def test_a_caller_whose_audio_stops_is_released() -> None:
    async with Stage(hold_on, media_timeout_ms=1_000) as stage, SoftPhone() as phone:
        call = await phone.call(stage.uri)
        await call.answered()
        call.media.close()
        ended = await call.ended()
        assert ended.reason == 'Q.850;cause=102;text="Media timeout"'
        assert await stage.ended() == ("carrier_error", "media-timeout")
