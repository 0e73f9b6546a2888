import numpy as np
import pytest

from tests.softphone import audio
from tests.softphone.errors import PhoneError
from tests.softphone.rtp import RTPPacket, parse_event
from tests.softphone.sdp import Flow
from tests.softphone.sender import MAX_KEYS_WAITING, MAX_SPEECH_S, Sender


def flow(*, codec: str = "PCMU", event: int | None = 101, may_send: bool = True) -> Flow:
    return Flow(
        to=("127.0.0.1", 4000),
        rtcp_to=("127.0.0.1", 4001),
        codec=codec,
        payload_type={"PCMU": 0, "PCMA": 8}[codec],
        event_payload_type=event,
        decodes={},
        may_send=may_send,
        may_receive=True,
    )


def sender() -> Sender:
    return Sender(ssrc=5, sequence=0xFFFF, timestamp=1000)


def ticks(source: Sender, count: int, agreed: Flow | None) -> list[RTPPacket]:
    packets = [source.tick(agreed) for _ in range(count)]
    return [packet for packet in packets if packet is not None]


def sound(packets: list[RTPPacket], codec: str = "PCMU") -> audio.PCM:
    return np.concatenate([audio.decode(codec, packet.payload) for packet in packets])


def test_a_phone_with_nothing_to_say_sends_silence() -> None:
    packets = ticks(sender(), 3, flow())
    assert [packet.sequence for packet in packets] == [0xFFFF, 0, 1]
    assert [packet.timestamp for packet in packets] == [1000, 1160, 1320]
    assert [packet.marker for packet in packets] == [True, False, False]
    assert not sound(packets).any()


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_a_tone_goes_on_without_a_click(codec: str) -> None:
    source = sender()
    source.play_tone(440.0, None, -13.0)
    packets = ticks(source, 20, flow(codec=codec))
    heard = sound(packets, codec).astype(int)
    assert np.abs(heard - audio.tone(440.0, 0.4)).max() <= 256


def test_a_tone_stops_by_itself_or_when_told() -> None:
    source = sender()
    source.play_tone(440.0, 0.03, -13.0)
    heard = sound(ticks(source, 3, flow()))
    assert heard[:240].any()
    assert not heard[240:].any()
    source.play_tone(440.0, None, -13.0)
    source.stop_tone()
    assert not sound(ticks(source, 1, flow())).any()


def test_speech_goes_before_the_tone_and_is_said_once() -> None:
    source = sender()
    source.play_tone(440.0, None, -13.0)
    source.say(np.full(200, 4000, np.int16))
    assert source.speaking
    heard = sound(ticks(source, 2, flow()))
    assert not source.speaking
    assert (heard[:200] > 3800).all()
    assert not heard[200:].any()
    assert sound(ticks(source, 1, flow())).any()


def test_on_hold_the_clock_goes_on_and_speech_begins_with_a_marker() -> None:
    source = sender()
    ticks(source, 2, flow())
    assert ticks(source, 5, flow(may_send=False)) == []
    assert ticks(source, 1, None) == []
    packet = ticks(source, 1, flow())[0]
    assert (packet.timestamp, packet.sequence, packet.marker) == (1000 + 8 * 160, 1, True)
    assert (source.packets, source.octets) == (3, 480)


def test_a_key_takes_the_place_of_sound_under_one_timestamp() -> None:
    source, done = sender(), []
    source.press("5", 100, lambda: done.append("5"))
    packets = ticks(source, 8, flow())
    events, after = packets[:7], packets[7]
    assert {packet.payload_type for packet in events} == {101}
    assert {packet.timestamp for packet in events} == {1000}
    assert [packet.marker for packet in events] == [True] + [False] * 6
    assert [parse_event(packet.payload).duration for packet in events][-3:] == [800] * 3
    assert (after.payload_type, after.timestamp) == (0, 1000 + 7 * 160)
    assert done == ["5"]


def test_between_two_keys_there_is_a_pause() -> None:
    source = sender()
    for key in "11":
        source.press(key, 40, lambda: None)
    kinds = [packet.payload_type for packet in ticks(source, 12, flow())]
    assert kinds == [101] * 4 + [0] * 3 + [101] * 4 + [0]


def test_without_telephone_event_keys_wait() -> None:
    source, done = sender(), []
    source.press("1", 40, lambda: done.append("1"))
    assert {packet.payload_type for packet in ticks(source, 9, flow(event=None))} == {0}
    assert not done


def test_speech_and_keys_have_limits() -> None:
    source = sender()
    with pytest.raises(PhoneError):
        source.say(audio.silence(MAX_SPEECH_S + 1.0))
    for _ in range(MAX_KEYS_WAITING):
        source.press("1", 40, lambda: None)
    with pytest.raises(PhoneError):
        source.press("1", 40, lambda: None)
