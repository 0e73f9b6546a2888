"""Whatever is commanded, each far end hears one stream that keeps to the wall clock."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from media_gateway.rtp import g711
from media_gateway.rtp.clip import AudioClip
from media_gateway.rtp.packet import signed_32
from tests.unit.rtp.rig import Clock, Floor, Heard, Leg, tone

VOICE = g711.encode(tone(1_000, 160), "PCMU")
PROMPT = AudioClip(tone(440, 480))
MAX_LEAD_SAMPLES = 3 * 160
"""Each change of source may join the new one up to a frame early, none of it adds up."""

Command = Callable[[Leg, Leg], object]

COMMANDS: dict[str, Command] = {
    "connect": lambda leg, peer: leg.port.connect(peer.port),
    "disconnect": lambda leg, _: leg.port.disconnect(),
    "play": lambda leg, _: leg.port.play("op", [PROMPT], loop=False),
    "loop": lambda leg, _: leg.port.play("op", [PROMPT], loop=True, resume_key="music"),
    "stop": lambda leg, _: leg.port.stop_play(),
    "hold": lambda leg, _: leg.port.set_hold(held=True),
    "unhold": lambda leg, _: leg.port.set_hold(held=False),
    "mute": lambda leg, _: leg.port.set_mute(muted=True),
    "unmute": lambda leg, _: leg.port.set_mute(muted=False),
    "far end holds": lambda leg, _: leg.negotiate(sends=False, receives=False),
    "far end listens": lambda leg, _: leg.negotiate(sends=False),
    "far end is back": lambda leg, _: leg.negotiate(),
    "digit": lambda leg, _: leg.port.send_digits("5"),
}
STEPS = st.lists(
    st.tuples(st.sampled_from(sorted(COMMANDS)), st.booleans(), st.integers(0, 6)), max_size=14
)


@settings(deadline=None, max_examples=120)
@given(STEPS)
def test_no_order_of_commands_breaks_the_stream(steps: list[tuple[str, bool, int]]) -> None:
    clock = Clock()
    left, right = Leg(clock, "left"), Leg(clock, "right", number=1)
    left.negotiate()
    right.negotiate()
    floor = Floor(left, right)
    for command, on_left, frames in steps:
        COMMANDS[command](*((left, right) if on_left else (right, left)))
        for _ in range(frames):
            floor.pass_frame(left=VOICE, right=VOICE)
    for leg in (left, right):
        assert_one_stream(leg.heard)


def assert_one_stream(heard: list[Heard]) -> None:
    for earlier, later in pairwise(heard):
        assert (later.sequence - earlier.sequence) & 0xFFFF == 1
        assert later.ssrc == earlier.ssrc
        step = signed_32(later.timestamp - earlier.timestamp)
        # Packets of one key share the time of its beginning.
        assert step >= (0 if 101 in (earlier.payload_type, later.payload_type) else 160)
        assert later.at_ms > earlier.at_ms
    audio = [packet for packet in heard if packet.payload_type == 0]
    for packet in audio:
        wall = (packet.at_ms - audio[0].at_ms) * 8
        lead = signed_32(packet.timestamp - audio[0].timestamp) - wall
        assert abs(lead) <= MAX_LEAD_SAMPLES
