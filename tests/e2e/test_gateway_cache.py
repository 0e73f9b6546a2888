"""The bucket is away: a gateway plays what it had before its restart, and says what it has not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from protos.ivr.v1 import ivr_pb2
from services.chassis.blobs_s3 import S3Address, S3Blobs
from services.chassis.disk_cache import DiskCache
from services.launcher.parts.minio import MinioServer
from services.launcher.ports import free_port
from tests.e2e.gateway_stage import Stage, Talk, answer, play, tone_wav
from tests.e2e.listening import has_heard
from tests.softphone.phone import SoftPhone
from tests.stage.s3 import fresh_bucket

pytestmark = pytest.mark.e2e

COMPLETE, FAILED = "REASON_COMPLETE", "REASON_FAILED"
OLD_HZ, NEW_HZ = 700, 1_100


async def test_prompts_outlive_a_restart_while_the_bucket_is_away(
    minio_server: MinioServer, tmp_path: Path
) -> None:
    address = await fresh_bucket(minio_server)
    bucket = S3Blobs(address)
    old, new = [
        ivr_pb2.Prompt(sha256=await bucket.put(tone_wav(hz, 0.6))) for hz in (OLD_HZ, NEW_HZ)
    ]
    await bucket.close()
    nowhere = replace(address, endpoint=f"http://127.0.0.1:{free_port()}")
    assert await heard(address, tmp_path, old) == [COMPLETE]
    assert await heard(nowhere, tmp_path, old, new) == [COMPLETE, FAILED]


async def heard(address: S3Address, folder: Path, *prompts: ivr_pb2.Prompt) -> list[str]:
    """What becomes of prompts in a call to a gateway that has just started; the first is heard."""
    reasons: list[str] = []

    async def script(talk: Talk) -> None:
        await talk.step(answer())
        for number, prompt in enumerate(prompts):
            await talk.step(play(f"prompt-{number}", prompt))
            ended = await talk.until("operation_ended")
            reasons.append(ivr_pb2.OperationEnded.Reason.Name(ended.reason))
        await talk.hang_up()

    cache = DiskCache(folder / "cache", max_bytes=1 << 26, min_free_bytes=0)
    blobs = S3Blobs(address, cache=cache)
    async with Stage(script, blobs=blobs) as stage, SoftPhone() as phone:
        call = await phone.call(stage.uri)
        await call.ended()
        assert has_heard(call, OLD_HZ)
        assert not has_heard(call, NEW_HZ)
    await blobs.close()
    return reasons
