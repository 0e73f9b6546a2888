"""The journal's files: what is whole is read, what is torn is nobody's, what is done may go."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_gateway.facts.files import READ_BYTES, JournalReader, JournalWriter, Position
from media_gateway.facts.open_calls import OpenCalls, lost
from media_gateway.records import framed, whole_records
from protos.gateway.v1.events_pb2 import CallFact
from tests.unit.gateway_facts.calls import counted, ended, noted, started

FAR = Position("~", 0)


def writer(
    folder: Path, incarnation: str = "a", open_calls: OpenCalls | None = None, size: int = 1 << 22
) -> JournalWriter:
    return JournalWriter(
        folder,
        incarnation=incarnation,
        open_calls=open_calls or OpenCalls(),
        max_file_bytes=size,
    )


def everything(folder: Path, limit: int = 1_000) -> list[CallFact]:
    reader, found, after = JournalReader(folder), [], Position()
    while kept := reader.read(after, FAR, limit=limit):
        found += [each.fact for each in kept]
        after = kept[-1].end
    return found


@given(
    records=st.lists(st.binary(min_size=1, max_size=50), max_size=8),
    cut=st.integers(0, 200),
    flip=st.none() | st.integers(0, 400),
)
def test_records_before_a_tear_or_a_damage_are_whole(
    records: list[bytes], cut: int, flip: int | None
) -> None:
    buffer = bytearray(b"".join(framed(record) for record in records))
    del buffer[max(0, len(buffer) - cut) :]
    if flip is not None and flip < len(buffer):
        buffer[flip] ^= 0x55
    found = [data for data, _ in whole_records(bytes(buffer))]
    assert found == records[: len(found)]
    if flip is None or flip >= len(buffer):
        ends = [end for _, end in whole_records(bytes(buffer))]
        assert len(buffer) - (ends[-1] if ends else 0) < 58 + 1


def test_what_is_written_is_read_in_order_across_files(tmp_path: Path) -> None:
    facts = [started("c")] + [noted("c", seq) for seq in range(2, 200)]
    journal = writer(tmp_path, size=1_000)
    for fact in facts:
        journal.append([fact])
    journal.close()
    assert len(JournalReader(tmp_path).files()) > 3
    assert everything(tmp_path, limit=7) == facts
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.glob("*.facts"))


def test_a_torn_tail_hides_nothing_that_follows_in_another_file(tmp_path: Path) -> None:
    first = writer(tmp_path, "a")
    first.append([started("c", tenant="acme"), noted("c", 2)])
    first.close()
    (path,) = tmp_path.glob("*.facts")
    path.write_bytes(path.read_bytes()[:-3])
    second = writer(tmp_path, "b", JournalReader(tmp_path).open_calls())
    second.append([ended("c", 3)])
    second.close()
    assert everything(tmp_path) == [started("c", tenant="acme"), ended("c", 3)]
    assert list(JournalReader(tmp_path).open_calls()) == []


def test_the_newest_file_alone_knows_which_calls_are_open(tmp_path: Path) -> None:
    journal = writer(tmp_path, size=500)
    journal.append([started("long", tenant="acme", at_ms=7)])
    for number in range(30):
        call = f"short{number}"
        journal.append([started(call, tenant="acme"), ended(call, 2)])
    journal.append([noted("long", 2, at_ms=9)])
    journal.close()
    reader = JournalReader(tmp_path)
    reader.commit(Position(reader.files()[-1], 0))
    assert len(reader.files()) == 1
    (left,) = reader.open_calls()
    assert (left.call_id, left.tenant_id, left.seq, left.started_at_ms) == ("long", "acme", 2, 7)


def test_files_go_once_everything_before_is_done(tmp_path: Path) -> None:
    journal = writer(tmp_path, size=100)
    for number in range(5):
        journal.append([started(f"c{number}", tenant="acme")])
    reader = JournalReader(tmp_path)
    names = reader.files()
    reader.commit(Position(names[2], 10))
    assert reader.files() == names[2:]
    assert reader.done() == Position(names[2], 10)
    (tmp_path / "position.json").write_text("{")
    assert reader.done() == Position()


def test_nothing_is_read_beyond_what_is_durable(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    journal.append([started("c", tenant="acme")])
    until = journal.end
    journal.append([noted("c", 2)])
    reader = JournalReader(tmp_path)
    kept = reader.read(Position(), until, limit=10)
    assert [each.fact.seq for each in kept] == [1]
    assert reader.read(kept[-1].end, until, limit=10) == []
    assert reader.read(Position(), Position(), limit=10) == []


def test_a_record_longer_than_a_read_is_read(tmp_path: Path) -> None:
    many = OpenCalls()
    for number in range(20_000):
        many.take(started(f"{number:040d}", tenant="acme"))
    journal = writer(tmp_path, open_calls=many)
    journal.append([noted("c", 2)])
    assert everything(tmp_path) == [noted("c", 2)]
    assert len(JournalReader(tmp_path).open_calls()) == 20_001


def test_a_full_disk_leaves_the_journal_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = writer(tmp_path)
    journal.append([started("c", tenant="acme")])
    sync = os.fsync

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        journal.append([noted("c", 2)])
    monkeypatch.setattr(os, "fsync", sync)
    journal.append([noted("c", 3)])
    assert [fact.seq for fact in everything(tmp_path)] == [1, 3]


def test_a_lost_call_ends_once_and_not_before_its_last_fact() -> None:
    calls = OpenCalls()
    for fact in (started("c", at_ms=1_000), noted("c", 2, at_ms=5_000)):
        calls.take(fact)
    (call,) = OpenCalls.of_bytes(calls.to_bytes())
    end = lost(call, at_ms=4_000, new_id=counted())
    assert (end.seq, end.at_ms, end.tenant_id) == (3, 5_000, "acme")
    assert end.call_ended.duration_ms == 4_000
    assert end.call_ended.termination.reason == "gateway-lost"
    calls.take(end)
    assert len(calls) == 0


def test_a_list_of_calls_that_fills_a_read_hides_no_facts(tmp_path: Path) -> None:
    many, beside = OpenCalls(), OpenCalls()
    beside.take(started("", tenant="acme"))
    head = len(framed(b"O" + beside.to_bytes()))
    many.take(started("x" * (READ_BYTES - 5 - head), tenant="acme"))
    journal = writer(tmp_path, open_calls=many)
    journal.append([noted("c", 2)])
    journal.close()
    writer(tmp_path, "b").append([noted("c", 3)])
    assert everything(tmp_path) == [noted("c", 2), noted("c", 3)]


def test_a_disk_that_is_full_when_a_file_begins_forgets_no_open_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = writer(tmp_path, size=10)
    journal.append([started("long", tenant="acme")])
    sync = os.fsync

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        journal.append([started("c", tenant="acme")])
    monkeypatch.setattr(os, "fsync", sync)
    journal.append([started("c", tenant="acme")])
    journal.close()
    reader = JournalReader(tmp_path)
    reader.commit(Position(reader.files()[-1], 0))
    assert [call.call_id for call in reader.open_calls()] == ["long", "c"]
