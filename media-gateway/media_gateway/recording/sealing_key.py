"""The key that segments are sealed for: asked for once, and kept for when nobody answers."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path

from grpc import aio

from protos.recording.v1 import recording_pb2, recording_pb2_grpc
from services.chassis.log import get_logger
from services.chassis.sealing import KEY_BYTES

log = get_logger("recording")

REFRESH_S = 300.0
"""How often a key that is known is asked for again: keys are changed now and then."""
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0


class SealingKeys:
    """Knows the recording service's public key, also while that service is away."""

    def __init__(self, file: Path, dial: Callable[[str], aio.Channel]) -> None:
        self._file = file
        self._dial = dial
        self.public_key: bytes | None = None
        """X25519; None: it was never had."""
        self.had = asyncio.Event()
        """Set once the service has told it."""

    def recall(self) -> None:
        """Reads what an earlier process kept."""
        try:
            kept = base64.b64decode(json.loads(self._file.read_text())["public_key"])
        except (OSError, ValueError, KeyError, TypeError):
            return  # never had, or unreadable: it will be asked for
        if len(kept) == KEY_BYTES:
            self.public_key = kept

    async def run(self) -> None:
        """Asks for ever: soon while there is none, seldom afterwards."""
        pause_s = FIRST_PAUSE_S
        while True:
            if await self._ask():
                pause_s = FIRST_PAUSE_S
                await asyncio.sleep(REFRESH_S)
                continue
            if self.public_key is None:
                log.debug("no sealing key yet")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _ask(self) -> bool:
        stub = recording_pb2_grpc.RecordingStub(self._dial("recording"))
        try:
            answer = await stub.GetSealingKey(recording_pb2.GetSealingKeyRequest())
        except aio.AioRpcError:
            return False
        if len(answer.public_key) != KEY_BYTES:
            log.error("a sealing key that is none", bytes=len(answer.public_key))
            return False
        if answer.public_key != self.public_key:
            self.public_key = answer.public_key
            try:
                await asyncio.to_thread(self._keep, answer)
            except OSError as error:
                log.error("the sealing key cannot be kept", reason=str(error))
        self.had.set()
        return True

    def _keep(self, key: recording_pb2.SealingKey) -> None:
        public = base64.b64encode(key.public_key).decode()
        temporary = self._file.with_suffix(".tmp")
        temporary.write_text(json.dumps({"key_id": key.key_id, "public_key": public}))
        temporary.replace(self._file)
