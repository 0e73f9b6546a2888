"""The decisions of those who try a gateway: what may be ordered, when a key is due, what echoes."""

from __future__ import annotations

import numpy as np
import pytest

from media_gateway.probe.echo import Echo
from media_gateway.rtp import g711
from media_gateway.rtp.packet import HEADER
from media_gateway.testcall.menu import PATIENCE_MS, SILENT_MS, Menu
from media_gateway.testcall.order import BadTestCall, Order, order_of
from media_gateway.testcall.speech import sentence
from media_gateway.webrtc.model import Address

FRAME_MS = 20


def frame(level_dbfs: float) -> bytes:
    """20 ms of a tone whose root mean square is at a level."""
    peak = 32_768 * 10 ** (level_dbfs / 20) * np.sqrt(2)
    samples = peak * np.sin(2 * np.pi * 500 * np.arange(160) / 8_000)
    return g711.encode(np.round(samples).astype(np.int16), "PCMA")


def hear(menu: Menu, level_dbfs: float, from_ms: float, to_ms: float) -> None:
    for at_ms in np.arange(from_ms, to_ms, FRAME_MS):
        menu.hear((1, 0, "PCMA", frame(level_dbfs), float(at_ms)))


def test_a_key_is_due_once_the_menu_has_been_silent_for_a_while() -> None:
    menu = Menu(0.0)
    assert menu.press_at_ms == SILENT_MS
    hear(menu, -30.0, 0, 1_000)
    hear(menu, -60.0, 1_000, 1_500)
    assert menu.press_at_ms == 980 + SILENT_MS
    hear(menu, -44.0, 1_500, 2_000)
    assert menu.press_at_ms == 1_980 + SILENT_MS


def test_a_menu_that_never_falls_silent_is_not_waited_for() -> None:
    menu = Menu(100.0)
    hear(menu, -20.0, 100, 6_000)
    assert menu.press_at_ms == 100 + PATIENCE_MS
    menu.pressed(4_100.0)
    assert menu.press_at_ms == 4_100 + SILENT_MS


def test_a_packet_without_audio_is_silence() -> None:
    menu = Menu(0.0)
    menu.hear((1, 0, "PCMU", b"", 500.0))
    assert menu.press_at_ms == SILENT_MS


def test_what_is_not_said_is_the_usual() -> None:
    order = order_of(called="+12025550100", caller="", digits="", talk_s=0)
    assert order == Order("+12025550100", "+12025550199", "", 30)
    assert order_of(called="*99#", caller="0301", digits="12#*AD", talk_s=5).talk_s == 5


@pytest.mark.parametrize(
    ("called", "caller", "digits", "talk_s"),
    [
        ("", "", "", 0),
        ("1", "", "", 0),
        ("+02025550100", "", "", 0),
        ("+12025550100\n", "", "", 0),
        ("anna", "", "", 0),
        ("+12025550100", "+", "", 0),
        ("+12025550100", "anna", "", 0),
        ("+12025550100", "1" * 16, "", 0),
        ("+12025550100", "", "123456789", 0),
        ("+12025550100", "", "e", 0),
        ("+12025550100", "", "", 4),
        ("+12025550100", "", "", 121),
    ],
)
def test_what_cannot_be_ordered(called: str, caller: str, digits: str, talk_s: int) -> None:
    with pytest.raises(BadTestCall):
        order_of(called=called, caller=caller, digits=digits, talk_s=talk_s)


def test_the_sentence_is_audible_and_ends_with_a_pause() -> None:
    pcm = sentence().pcm.astype(np.float64)
    level_dbfs = 20 * np.log10(np.sqrt(np.mean(pcm**2)) / 32_768)
    assert -26 < level_dbfs < -16
    assert np.abs(pcm[-8_000:]).max() < 100


class Browser:
    """Sends packets to an echo and keeps what comes back."""

    def __init__(self) -> None:
        self.now_ms = 0.0
        self.back: list[bytes] = []
        self.echo = Echo(payload_type=8, clock_ms=lambda: self.now_ms, random_bits=lambda _: 7)

    def send(self, packet: bytes, target: Address) -> None:
        del target
        self.back.append(packet)

    def says(self, sequence: int, payload: bytes = b"\x55" * 160, *, kind: int = 8) -> None:
        self.now_ms += FRAME_MS
        header = HEADER.pack(0x80, kind, sequence, 1_000 + 160 * sequence, 0xABCD)
        self.echo.rtp_received(header + payload)


def test_audio_comes_back_as_one_stream_of_the_gateways_own() -> None:
    browser = Browser()
    browser.says(1)
    assert browser.back == []
    browser.echo.send_by(browser.send)
    for sequence in (2, 3, 3, 4):
        browser.says(sequence, bytes([sequence]) * 160)
    headers = [HEADER.unpack_from(packet) for packet in browser.back]
    assert [packet[12:13] for packet in browser.back] == [b"\x02", b"\x03", b"\x04"]
    assert {header[4] for header in headers} == {7}
    assert [header[2] for header in headers] == [8, 9, 10]
    assert np.diff([header[3] for header in headers]).tolist() == [160, 160]


def test_nothing_but_the_audio_that_was_agreed_comes_back() -> None:
    browser = Browser()
    browser.echo.send_by(browser.send)
    browser.says(1, kind=101)
    browser.says(2, b"")
    browser.echo.rtp_received(b"\x80")
    browser.echo.rtp_received(b"\x00" * 40)
    browser.echo.rtcp_received(b"no report")
    assert browser.back == []
    browser.says(3)
    assert len(browser.back) == 1
