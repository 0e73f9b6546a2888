"""Phone to phone over loopback: the phone's own proof before it judges anything else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.softphone import (
    Answer,
    CallOver,
    CallRefused,
    Ignore,
    IncomingCall,
    NeverRang,
    NotInTime,
    OutgoingCall,
    PhoneError,
    Redirect,
    Reject,
    Ring,
    SoftPhone,
    audio,
)
from tests.softphone.incoming import Policy


@asynccontextmanager
async def phones(auto: Policy | None = None) -> AsyncIterator[tuple[SoftPhone, SoftPhone]]:
    """A caller and an agent, who end without a fault on either side."""
    async with SoftPhone(user="ann") as ann, SoftPhone(user="bob", auto=auto) as bob:
        yield ann, bob
        assert ann.faults == []
        assert bob.faults == []


@asynccontextmanager
async def talking(ring_s: float = 0.0) -> AsyncIterator[tuple[OutgoingCall, IncomingCall]]:
    """Both sides of a call that is up."""
    async with phones(Answer(ring_s=ring_s)) as (ann, bob):
        call = await ann.call(bob.uri)
        incoming = await bob.incoming()
        await call.answered()
        await incoming.answered()
        yield call, incoming


async def test_a_call_rings_is_answered_and_carries_tones_both_ways() -> None:
    async with phones() as (ann, bob):
        call = await ann.call(bob.uri, headers={"X-Account": "42"})
        incoming = await bob.incoming()
        assert incoming.header("X-Account") == "42"
        await incoming.ring()
        await call.ringing()
        assert call.provisional == [100, 180]
        assert not call.is_up
        await incoming.answer()
        await call.answered()
        await incoming.answered()
        call.play_tone(440.0)
        incoming.play_tone(660.0)
        await incoming.hears_tone(440.0)
        await call.hears_tone(660.0)
        assert call.tone_level(660.0) == pytest.approx(-13.0, abs=0.5)
        assert call.tone_level(440.0) < -40.0
        assert call.dominant_tone(0.2) == pytest.approx(660.0, abs=1.0)
        await call.hangup(reason="Q.850;cause=16")
        ended = await incoming.ended()
        assert (ended.by, ended.how, ended.reason) == ("peer", "bye", "Q.850;cause=16")
        assert (await call.ended()).by == "us"
        lines = [step.first_line.split(" sip")[0] for step in ann.ladder]
        assert lines == [
            "INVITE",
            "SIP/2.0 100 Trying",
            "SIP/2.0 180 Ringing",
            "SIP/2.0 200 OK",
            "ACK",
            "BYE",
            "SIP/2.0 200 OK",
        ]


async def test_media_is_counted_and_reported() -> None:
    async with talking() as (call, incoming):
        call.play_tone(440.0)
        await incoming.hears_tone(440.0)
        await call.hangup()
        await incoming.ended()
        stats = incoming.stats()
        assert stats.packets_in >= 8
        assert stats.lost == stats.duplicates == stats.out_of_order == 0
        assert stats.ssrc_changes == stats.sequence_jumps == stats.timestamp_jumps == 0
        assert stats.strangers == stats.malformed == stats.unwanted == 0
        assert stats.payload_types == (0,)
        assert stats.first_rtp_at_s is not None
        assert stats.goodbye
        assert stats.sender_reports_in == call.stats().reports_out == 1


async def test_reports_cross_and_tell_what_arrived() -> None:
    async with (
        SoftPhone(user="ann", report_every_s=0.08) as ann,
        SoftPhone(user="bob", auto=Answer(), report_every_s=0.08) as bob,
    ):
        call = await ann.call(bob.uri)
        await call.answered()
        call.play_tone(440.0)
        incoming = await bob.incoming()
        incoming.play_tone(660.0)
        await incoming.hears_tone(440.0, for_s=0.4)
        stats = call.stats()
        assert stats.sender_reports_in >= 2
        assert stats.receiver_reports_in == 0
        assert stats.reported_lost == 0
        assert stats.reported_jitter_ms is not None
        assert stats.round_trip_ms is not None
        assert stats.round_trip_ms < 1000.0
        # A far end that is held, and so sends nothing, reports as a receiver.
        await call.hold()
        await call.hears_silence(for_s=0.4)
        assert call.stats().receiver_reports_in >= 1
        assert call.stats().unwanted == 0


async def test_keys_are_refused_when_they_cannot_be_sent() -> None:
    async with talking() as (call, incoming):
        await incoming.hold()
        with pytest.raises(PhoneError, match="holds"):
            await call.send_dtmf("1")
        await incoming.unhold()
        pressing = asyncio.create_task(call.send_dtmf("1", duration_ms=5000))
        await incoming.hears_digits("1")
        await incoming.hangup()
        with pytest.raises(CallOver, match="ended while a key"):
            await pressing


async def test_speech_is_heard_as_it_was_said(tmp_path: Path) -> None:
    async with talking() as (call, incoming):
        said = np.random.default_rng(3).normal(0, 3000, 2400).astype(np.int16)
        mark = incoming.heard_s
        call.say(said)
        await asyncio.gather(call.said(), incoming.hears_audio())
        await incoming.hears_silence(for_s=0.1)
        heard = incoming.received_pcm(mark)
        start = int(np.argmax(np.correlate(heard.astype(float), said.astype(float))))
        coded = audio.decode("PCMU", audio.encode("PCMU", said))
        assert heard[start : start + len(said)].tolist() == coded.tolist()
        incoming.save_wav(tmp_path / "heard.wav")
        assert (tmp_path / "heard.wav").stat().st_size > 2 * len(said)


async def test_keys_arrive_in_each_of_three_ways() -> None:
    async with talking() as (call, incoming):
        await call.send_dtmf("19*#", duration_ms=60)
        await incoming.hears_digits("19*#")
        press = incoming.media.reception.keys[0]
        assert (press.marked, press.end_packets, press.duration_ms) == (True, 3, 60.0)
        await incoming.send_dtmf("5A", how="info")
        await call.hears_digits("5A", how="info")
        await call.send_dtmf("80", how="inband")
        await incoming.hears_digits("80", how="inband")


async def test_hold_silences_the_other_side_until_unhold() -> None:
    async with talking() as (call, incoming):
        incoming.play_tone(660.0)
        await call.hears_tone(660.0)
        await call.hold()
        assert incoming.on_hold_by_peer
        await call.hears_silence(for_s=0.1)
        call.play_tone(440.0)
        await incoming.hears_tone(440.0)
        await call.unhold()
        assert not incoming.on_hold_by_peer
        await call.hears_tone(660.0)
        await incoming.hold(direction="inactive")
        await call.hears_silence(for_s=0.1)
        await incoming.hears_silence(for_s=0.1)
        stats = call.stats()
        assert stats.sequence_jumps == stats.timestamp_jumps == stats.lost == 0


async def test_the_agent_may_hang_up() -> None:
    async with talking() as (call, incoming):
        await incoming.hangup()
        ended = await call.ended()
        assert (ended.by, ended.how) == ("peer", "bye")
        with pytest.raises(CallOver):
            await call.hold()


@pytest.mark.parametrize("status", [480, 486, 603])
async def test_a_refusal_is_heard_and_acknowledged(status: int) -> None:
    async with phones(Reject(status, headers=(("Retry-After", "5"),))) as (ann, bob):
        call = await ann.call(bob.uri)
        with pytest.raises(CallRefused) as refusal:
            await call.answered()
        assert refusal.value.status == status
        incoming = await bob.incoming()
        assert (await incoming.ended()).status == status
        assert [step.first_line.split()[0] for step in bob.ladder][-1] == "ACK"


async def test_a_refusal_may_come_after_ringing() -> None:
    async with phones(Reject(486, ring_s=0.05)) as (ann, bob):
        call = await ann.call(bob.uri)
        await call.ringing()
        ended = await call.ended()
        assert (ended.by, ended.status) == ("peer", 486)


async def test_a_redirection_names_where_to_go() -> None:
    async with phones(Redirect("sip:other@127.0.0.1:5099")) as (ann, bob):
        call = await ann.call(bob.uri)
        with pytest.raises(CallRefused) as refusal:
            await call.answered()
        assert refusal.value.status == 302
        assert refusal.value.contacts == ("sip:other@127.0.0.1:5099",)


async def test_a_caller_may_give_up_while_it_rings() -> None:
    async with phones(Ring()) as (ann, bob):
        call = await ann.call(bob.uri)
        incoming = await bob.incoming()
        await call.ringing()
        call.cancel(reason="SIP;cause=487")
        ended = await incoming.ended()
        assert (ended.by, ended.how, ended.reason) == ("peer", "cancel", "SIP;cause=487")
        ended = await call.ended()
        assert (ended.by, ended.how, ended.status) == ("us", "cancel", 487)
        with pytest.raises(CallOver):
            await incoming.answer()


async def test_a_call_that_nobody_answers_is_cancelled_after_its_time() -> None:
    async with phones(Ring()) as (ann, bob):
        call = await ann.call(bob.uri, timeout_s=0.1)
        assert (await call.ended()).how == "cancel"


async def test_an_answer_that_crosses_a_cancel_is_ended_by_bye() -> None:
    async with phones(Ring()) as (ann, bob):
        bob.lose(inbound=lambda line: line.startswith("CANCEL"))
        call = await ann.call(bob.uri)
        incoming = await bob.incoming()
        await call.ringing()
        call.cancel()
        await incoming.answer()
        assert (await incoming.ended()).how == "bye"
        assert (await call.ended()).how == "cancel"


async def test_early_media_is_heard_before_the_answer() -> None:
    async with phones() as (ann, bob):
        call = await ann.call(bob.uri)
        incoming = await bob.incoming()
        await incoming.ring(early_media=True)
        incoming.play_tone(425.0)
        await call.ringing()
        await call.hears_tone(425.0)
        assert call.early_media
        assert not call.is_up
        await incoming.answer()
        await call.answered()


async def test_a_phone_may_be_told_to_ring_with_early_media() -> None:
    async with phones(Answer(ring_s=0.05, early_media=True)) as (ann, bob):
        call = await ann.call(bob.uri)
        await call.answered()
        assert call.early_media
        assert call.provisional == [100, 183]
        assert call.rang_after_s is not None
        assert call.answered_after_s is not None
        assert call.answered_after_s - call.rang_after_s > 0.04


async def test_a_late_offer_is_answered_in_the_ack() -> None:
    async with phones(Answer()) as (ann, bob):
        call = await ann.call(bob.uri, sdp=b"")
        incoming = await bob.incoming()
        await call.answered()
        await incoming.answered()
        call.play_tone(440.0)
        incoming.play_tone(660.0)
        await incoming.hears_tone(440.0)
        await call.hears_tone(660.0)


async def test_a_switched_off_phone_says_nothing() -> None:
    async with phones(Ignore()) as (ann, bob):
        call = await ann.call(bob.uri)
        with pytest.raises(NotInTime, match="an answer did not come"):
            await call.answered(0.05)
        assert call.provisional == []
        assert len(bob.ignored) == 1
        call.abandon()


async def test_an_answer_without_ringing_is_told() -> None:
    async with phones(Answer()) as (ann, bob):
        call = await ann.call(bob.uri)
        with pytest.raises(NeverRang):
            await call.ringing()


async def test_a_policy_may_depend_on_the_invite() -> None:
    async with SoftPhone(user="ann") as ann:
        policies: list[Policy] = [Reject(486), Answer()]
        async with SoftPhone(user="bob", auto=lambda _invite: policies.pop(0)) as bob:
            first = await ann.call(bob.uri)
            assert (await first.ended()).status == 486
            second = await ann.call(bob.uri)
            await second.answered()


async def test_no_common_codec_is_refused_by_488() -> None:
    async with (
        SoftPhone(user="ann", codecs=("PCMU",)) as ann,
        SoftPhone(user="bob", codecs=("PCMA",)) as bob,
    ):
        call = await ann.call(bob.uri)
        incoming = await bob.incoming()
        with pytest.raises(CallOver):
            await incoming.answer()
        assert (await call.ended()).status == 488


async def test_a_law_is_spoken_when_it_is_preferred() -> None:
    async with (
        SoftPhone(user="ann", codecs=("PCMA",)) as ann,
        SoftPhone(user="bob", auto=Answer()) as bob,
    ):
        call = await ann.call(bob.uri)
        incoming = await bob.incoming()
        await call.answered()
        call.play_tone(440.0)
        await incoming.hears_tone(440.0)
        assert incoming.stats().payload_types == (8,)


async def test_a_strangers_sound_is_not_heard() -> None:
    async with talking() as (call, incoming):
        incoming.media.sender.stop_tone()
        await call.send_rtp_from_stranger(880.0, seconds=0.2, as_us=True)
        assert incoming.stats().strangers == 10
        assert incoming.tone_level(880.0, 0.3) < -60.0


async def test_a_failure_tells_what_was_heard_and_the_ladder() -> None:
    async with talking() as (call, incoming):
        incoming.play_tone(660.0)
        await call.hears_tone(660.0)
        with pytest.raises(NotInTime) as failure:
            await call.hears_tone(440.0, within_s=0.05)
        assert "a tone of 660 Hz" in str(failure.value)
        assert "-> ACK sip:bob" in str(failure.value)
        with pytest.raises(NotInTime):
            await call.hears_silence(within_s=0.05)
        with pytest.raises(NotInTime):
            await call.hears_no_tone(660.0, within_s=0.05)
        with pytest.raises(NotInTime):
            await incoming.ended(0.01)


async def test_closing_a_phone_hangs_up() -> None:
    async with SoftPhone(user="bob", auto=Answer()) as bob:
        async with SoftPhone(user="ann") as ann:
            call = await ann.call(bob.uri)
            incoming = await bob.incoming()
            await call.answered()
            await incoming.answered()
        assert (await incoming.ended()).how == "bye"


async def test_many_calls_at_once_keep_to_themselves() -> None:
    async with phones(Answer()) as (ann, bob):
        calls = [await ann.call(bob.uri) for _ in range(5)]
        await asyncio.gather(*(call.answered() for call in calls))
        incoming = [await bob.incoming() for _ in calls]
        for number, call in enumerate(calls):
            call.play_tone(400.0 + 100.0 * number)
        by_id = {call.call_id: 400.0 + 100.0 * number for number, call in enumerate(calls)}
        await asyncio.gather(*(call.hears_tone(by_id[call.call_id]) for call in incoming))
        assert len({call.stats().first_rtp_at_s for call in incoming}) > 1
