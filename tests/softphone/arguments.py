"""The command line's words: what may be asked of the phone, and checks of each value."""

from __future__ import annotations

import argparse
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from tests.softphone.audio import PCM, RATE_HZ
from tests.softphone.errors import NotSip
from tests.softphone.message import parse_uri
from tests.softphone.rtp import EVENT_KEYS

Command = Callable[
    [argparse.Namespace, Callable[[str], None]], Awaitable[tuple[int, dict[str, Any]]]
]

_EPILOG: Final = """\
exit codes: 0 the call was carried out, 1 it was refused or failed, 2 the command is wrong,
130 interrupted by Ctrl-C (the call is hung up first)

examples:
  python -m tests.softphone call sip:+12025550100@127.0.0.1:5060 --dtmf 1 --after 2 --seconds 20
  python -m tests.softphone answer --port 5070 --ring 2 --tone 660 --calls 1
"""


def parser_of(commands: dict[str, Command]) -> argparse.ArgumentParser:
    """The parser; `options.run` is the chosen command."""
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="softphone",
        description="A SIP phone that calls, answers, presses keys and tells what it hears.",
        epilog=_EPILOG,
        formatter_class=shape,
    )
    kinds = parser.add_subparsers(required=True, metavar="call|answer")
    call = kinds.add_parser("call", help="call a number", epilog=_EPILOG, formatter_class=shape)
    call.set_defaults(run=commands["call"])
    call.add_argument("uri", type=_uri, help="whom to call, as sip:NUMBER@ADDRESS:PORT")
    call.add_argument("--timeout", type=_seconds, default=30.0, help="ring so long (30)")
    call.add_argument(
        "--header", type=_header, action="append", default=[], help="an extra header, 'Name: value'"
    )
    _add_shared(call, user="caller", seconds=10.0)
    answer = kinds.add_parser(
        "answer", help="wait for calls and answer them", epilog=_EPILOG, formatter_class=shape
    )
    answer.set_defaults(run=commands["answer"])
    answer.add_argument("--ring", type=_seconds, default=0.0, help="ring so long first (0)")
    answer.add_argument("--reject", type=_status, help="refuse with this status, such as 486")
    answer.add_argument("--calls", type=_count, default=1000, help="end after so many (1000)")
    answer.add_argument("--wait", type=_seconds, default=86_400.0, help="wait so long for each")
    answer.add_argument("--auth", type=_credentials, help="demand digest, as USER:PASSWORD")
    _add_shared(answer, user="agent", seconds=3600.0)
    return parser


def _add_shared(parser: argparse.ArgumentParser, *, user: str, seconds: float) -> None:
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="the phone's own address (127.0.0.1)")
    add("--port", type=int, default=0, help="its SIP port (any that is free)")
    add("--user", default=user, help=f"its number or name ({user})")
    add("--display", default="", help="its display name")
    add("--codec", action="append", choices=("PCMU", "PCMA"), help="may be given twice, best first")
    add("--tone", type=_frequency, help="play a tone of so many Hz")
    add("--say", type=_wav, metavar="WAV", help="play a file: 16-bit mono at 8,000 Hz")
    add("--dtmf", type=_keys, help="press these keys once answered")
    add("--after", type=_seconds, default=1.0, help="but wait so long first (1)")
    add("--dtmf-how", choices=("rfc4733", "info", "inband"), default="rfc4733", help="(rfc4733)")
    add("--seconds", type=_seconds, default=seconds, help=f"hang up after so long ({seconds:g})")
    add("--record", type=Path, metavar="WAV", help="write what was heard")
    add("--json", action="store_true", help="a JSON report on stdout, the narration on stderr")


def _uri(text: str) -> str:
    try:
        parse_uri(text)
    except NotSip as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not sip:NUMBER@ADDRESS:PORT") from error
    return text


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 86_400:
        raise argparse.ArgumentTypeError("not between 0 and 86,400 s")
    return value


def _frequency(text: str) -> float:
    value = float(text)
    if not 0 < value < RATE_HZ / 2:
        raise argparse.ArgumentTypeError("not between 0 and 4,000 Hz")
    return value


def _status(text: str) -> int:
    value = int(text)
    if not 300 <= value <= 699:
        raise argparse.ArgumentTypeError("not a final status of 300 to 699")
    return value


def _count(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 100_000:
        raise argparse.ArgumentTypeError("not between 1 and 100,000")
    return value


def _keys(text: str) -> str:
    if not text or set(text.upper()) - set(EVENT_KEYS):
        raise argparse.ArgumentTypeError(f"keys are {EVENT_KEYS}")
    return text.upper()


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise argparse.ArgumentTypeError("not 'Name: value'")
    return name.strip(), value.strip()


def _credentials(text: str) -> tuple[str, str]:
    user, colon, password = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError("not USER:PASSWORD")
    return user, password


def _wav(text: str) -> PCM:
    try:
        with wave.open(text, "rb") as file:
            shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            data = file.readframes(file.getnframes())
    except (OSError, wave.Error, EOFError) as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from error
    if shape != (1, 2, RATE_HZ):
        raise argparse.ArgumentTypeError(f"{text} is not 16-bit mono at {RATE_HZ} Hz")
    return np.frombuffer(data, "<i2").astype(np.int16)
