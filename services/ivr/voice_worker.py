"""The speech library in a process of its own: `python -m services.ivr.voice_worker`.

espeak-ng is under the GPL and may crash on odd input: neither reaches the service, which speaks to
this process over pipes and starts another when it ends. It imports nothing of Carillon.

A request is a line of JSON, `{"text": ..., "voice": ...}`. An answer is a line of JSON followed by
as many bytes of mono 16-bit little-endian samples as its `bytes` says, or has an `error`. The
first line, unasked, says which version speaks and at which rate.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any, BinaryIO

import espeakng_loader

MAX_LINE_BYTES = 64 * 1024
MAX_SAMPLE_BYTES = 2 * 22_050 * 300
SYNCHRONOUS = 2
CHARS_UTF8 = 1
POSITION_CHARACTER = 1
EE_OK = 0
EE_NOT_FOUND = 2

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class Library:
    """The loaded library; says one text at a time."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._samples = bytearray()
        # Kept alive as long as the library may call it.
        self._callback = _Callback(self._take)
        path = espeakng_loader.get_data_path().encode()
        self.rate_hz = self._library.espeak_Initialize(SYNCHRONOUS, 0, path, 0)
        self._library.espeak_SetSynthCallback(self._callback)
        self._library.espeak_Info.restype = ctypes.c_char_p
        self.version = self._library.espeak_Info(None).decode()

    def speak(self, text: str, voice: str) -> dict[str, Any] | bytes:
        """The samples, or an answer with an error."""
        # An unknown voice would leave the one before in place without a word.
        found = self._library.espeak_SetVoiceByName(voice.encode())
        if found != EE_OK:
            return {"error": "no-such-voice" if found == EE_NOT_FOUND else "voice-failed"}
        self._samples.clear()
        encoded = text.replace("\0", " ").encode() + b"\0"
        said = self._library.espeak_Synth(
            encoded,
            ctypes.c_size_t(len(encoded)),
            ctypes.c_uint(0),
            POSITION_CHARACTER,
            ctypes.c_uint(0),
            ctypes.c_uint(CHARS_UTF8),
            None,
            None,
        )
        return bytes(self._samples) if said == EE_OK else {"error": "voice-failed"}

    def _take(self, samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            self._samples += ctypes.string_at(samples, count * 2)
        return int(len(self._samples) > MAX_SAMPLE_BYTES)  # 1 stops the synthesis


def serve(library: Library, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answers requests until there are no more."""
    _write(answers, {"version": library.version, "rate_hz": library.rate_hz})
    while line := requests.readline(MAX_LINE_BYTES):
        request = json.loads(line)
        answer = library.speak(request["text"], request["voice"])
        if isinstance(answer, bytes):
            _write(answers, {"bytes": len(answer)}, answer)
        else:
            _write(answers, answer)


def _write(answers: BinaryIO, head: dict[str, Any], samples: bytes = b"") -> None:
    answers.write(json.dumps(head).encode() + b"\n" + samples)
    answers.flush()


if __name__ == "__main__":
    serve(Library(), sys.stdin.buffer, sys.stdout.buffer)
