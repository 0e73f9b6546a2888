"""A waveform shows where somebody spoke and how loud, and is drawn once."""

from __future__ import annotations

import asyncio
import io
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.blobs import MemoryBlobs
from services.chassis.ids import CallId
from services.chassis.tasks import Tasks
from services.recording.core.render import Sound
from services.recording.core.waveform import (
    FINE_COLUMNS,
    columns_of,
    draw,
    narrowed,
    scaled,
    silence,
)
from services.recording.drawing import MAX_WAITING, Waveforms
from services.recording.model.calls import Call, Found
from services.recording.model.errors import BadColumns, CodecNotRendered, WaveformsBusy
from services.recording.model.waveform import Waveform
from services.recording.segments import MemorySegments, SegmentPlace
from tests.unit.recording.conftest import ACME, Desk
from tests.unit.recording.tape import START_MS, Tape, mu_law, tone

CALL = CallId("call-1")
LOUD_DB, QUIET_DB = -10, -40
LOUD, QUIET = round(255 * (1 - 10 / 60)), round(255 * (1 - 40 / 60))
NEAR = 5
"""Steps of a byte: what mu-law and the place of the samples on the wave may make of it."""


class Studio:
    """What draws, over a desk that takes recordings in."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.tape = Tape(CALL, desk.keys.present)
        self.blobs = MemoryBlobs()
        self.tasks = Tasks()
        self.waveforms = Waveforms(
            store=desk.store, examiner=desk.examiner, blobs=self.blobs, tasks=self.tasks
        )

    async def speak(self) -> None:
        """Of 10 seconds the caller is loud in the first two, the agent quiet in the next two."""
        caller = mu_law(tone(400, LOUD_DB, 16_000))
        agent = mu_law(tone(1_000, QUIET_DB, 16_000))
        await self.desk.put(self.tape.segment("leg-a", 1, caller))
        await self.desk.put(self.tape.segment("leg-b", 1, agent, at=16_000))

    async def found(self, call_id: str = CALL) -> Found:
        found = await self.desk.store.found(ACME, CallId(call_id))
        assert found is not None
        return found

    async def draw(self, columns: int = 100) -> Waveform:
        return await self.waveforms.waveform(ACME, await self.found(), columns)


@pytest.fixture
def studio(desk: Desk) -> Studio:
    return Studio(desk)


def shown(drawn: bytes, value: int) -> set[int]:
    """The columns that are as loud."""
    return {n for n, each in enumerate(drawn) if abs(each - value) <= NEAR}


async def test_each_side_is_drawn_where_and_as_loud_as_it_spoke(studio: Studio) -> None:
    await studio.speak()
    await studio.desk.close(studio.tape.manifest())
    drawn = await studio.draw()
    assert drawn.duration_ms == 10_000
    assert shown(drawn.left, LOUD) == set(range(20))
    assert shown(drawn.right, QUIET) == set(range(20, 40))
    assert shown(drawn.left, 0) == set(range(20, 100))
    assert shown(drawn.right, 0) == set(range(100)) - set(range(20, 40))


async def test_what_the_caller_was_played_is_drawn_with_the_others(studio: Studio) -> None:
    await studio.speak()
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setparams((1, 2, 8_000, 0, "NONE", ""))
        written.writeframes(tone(700, LOUD_DB, 8_000).astype("<i2").tobytes())
    prompt = await studio.blobs.put(file.getvalue())
    request = studio.tape.manifest()
    request.manifest.played.add(
        leg_id="leg-a", from_ms=START_MS + 6_000, to_ms=START_MS + 8_000, prompts=[prompt]
    )
    await studio.desk.close(request)
    drawn = await studio.draw()
    assert shown(drawn.right, LOUD) == set(range(60, 70))
    assert shown(drawn.left, LOUD) == set(range(20))


async def test_what_goes_on_is_drawn_as_it_is_and_kept_only_at_its_end(studio: Studio) -> None:
    await studio.speak()
    drawn = await studio.draw()
    assert drawn.duration_ms == 4_000
    assert len(shown(drawn.left, LOUD)) == 50
    assert await studio.desk.store.waveform(ACME, CALL) is None
    await studio.desk.close(studio.tape.manifest())
    assert (await studio.draw()).duration_ms == 10_000
    kept = await studio.desk.store.waveform(ACME, CALL)
    assert kept is not None
    assert len(kept.left) == len(kept.right) == FINE_COLUMNS


async def test_what_was_drawn_needs_no_segments_any_more(studio: Studio) -> None:
    await studio.speak()
    await studio.desk.close(studio.tape.manifest())
    before = await studio.draw(1_000)
    place = studio.desk.files.places()[0]
    await studio.desk.files.put(place, b"gone")
    assert await studio.draw(1_000) == before


async def test_a_damaged_segment_is_silence_and_nothing_of_it_is_kept(studio: Studio) -> None:
    await studio.speak()
    await studio.desk.close(studio.tape.manifest())
    place = next(each for each in studio.desk.files.places() if each.track_id == "leg-a")
    whole = await studio.desk.files.get(place)
    await studio.desk.files.put(place, b"damaged")
    drawn = await studio.draw()
    assert not any(drawn.left)
    assert shown(drawn.right, QUIET) == set(range(20, 40))
    await studio.desk.files.put(place, whole)
    assert any((await studio.draw()).left)


async def test_an_empty_recording_is_silence(studio: Studio) -> None:
    await studio.desk.close(studio.tape.manifest(duration_ms=0))
    drawn = await studio.draw()
    assert drawn == Waveform(0, bytes(100), bytes(100))


async def test_opus_is_not_drawn(studio: Studio) -> None:
    await studio.desk.put(studio.tape.segment("leg-a", 1, bytes(320), codec="OPUS"))
    with pytest.raises(CodecNotRendered):
        await studio.draw()


class SlowSegments(MemorySegments):
    """Segments that wait until they may be read."""

    def __init__(self) -> None:
        super().__init__()
        self.may = asyncio.Event()
        self.asked = asyncio.Event()
        self.reads = 0

    async def get(self, place: SegmentPlace) -> bytes:
        self.reads += 1
        self.asked.set()
        await self.may.wait()
        return await super().get(place)


async def test_what_is_asked_for_twice_at_once_is_drawn_once_though_one_leaves(desk: Desk) -> None:
    slow = SlowSegments()
    studio = Studio(desk)
    desk.over(slow, studio.tasks)
    studio.waveforms = Waveforms(
        store=desk.store,
        examiner=type(desk.examiner)(files=slow, keys=desk.keys),
        blobs=studio.blobs,
        tasks=studio.tasks,
    )
    slow.may.set()
    await studio.speak()
    await desk.close(studio.tape.manifest())
    slow.may.clear()
    slow.asked.clear()
    slow.reads = 0
    both = [asyncio.ensure_future(studio.draw()) for _ in range(2)]
    await slow.asked.wait()
    both[0].cancel()
    slow.may.set()
    drawn = await both[1]
    assert slow.reads == 2
    assert shown(drawn.left, LOUD) == set(range(20))
    assert await desk.store.waveform(ACME, CALL) is not None


async def test_only_so_many_wait_to_be_drawn_and_all_are_let_go_at_the_end(desk: Desk) -> None:
    slow, tasks = SlowSegments(), Tasks()
    waveforms = Waveforms(
        store=desk.store,
        examiner=type(desk.examiner)(files=slow, keys=desk.keys),
        blobs=MemoryBlobs(),
        tasks=tasks,
    )
    finds = []
    for number in range(MAX_WAITING + 1):
        tape = Tape(f"call-{number}", desk.keys.present)
        await desk.put(tape.segment("leg-a", 1, bytes(160)))
        recording = await desk.recording(tape.call_id)
        finds.append(Found(recording, Call(CallId(tape.call_id))))
    waiting = [
        asyncio.ensure_future(waveforms.waveform(ACME, each, 100)) for each in finds[:MAX_WAITING]
    ]
    await slow.asked.wait()
    with pytest.raises(WaveformsBusy):
        await waveforms.waveform(ACME, finds[-1], 100)
    await tasks.close()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in results)


@pytest.mark.parametrize(("peak", "byte"), [(0, 0), (32, 0), (33, 0), (3_277, 170), (32_767, 255)])
def test_a_byte_is_a_level_on_a_scale_of_60_db(peak: int, byte: int) -> None:
    assert list(scaled(np.array([peak, 32_768], dtype=np.int32))) == [byte, 255]


@pytest.mark.parametrize(("wanted", "columns"), [(0, 1_000), (100, 100), (4_000, 4_000)])
def test_columns_are_as_many_as_are_asked_for(wanted: int, columns: int) -> None:
    assert columns_of(wanted) == columns


@pytest.mark.parametrize("wanted", [1, 99, 4_001])
def test_too_few_and_too_many_columns_are_refused(wanted: int) -> None:
    with pytest.raises(BadColumns):
        columns_of(wanted)


def test_what_lies_beyond_the_recording_is_not_drawn() -> None:
    peaks = silence(10)
    at = np.array([-1, 10, 11], dtype=np.int64)
    draw(peaks, Sound(at, np.full(3, 9_000, dtype=np.int16)), samples=10)
    assert not peaks.any()
    draw(peaks, Sound(at - 1, np.full(3, -32_768, dtype=np.int16)), samples=10)
    assert peaks.tolist() == [0] * 9 + [32_768]


@given(st.binary(max_size=300), st.integers(1, 400))
def test_no_peak_is_lost_in_any_number_of_columns(fine: bytes, columns: int) -> None:
    drawn = narrowed(fine, columns)
    assert len(drawn) == columns
    assert max(drawn) == max(fine, default=0)
    assert set(drawn) <= {*fine, *([0] if not fine else [])}
