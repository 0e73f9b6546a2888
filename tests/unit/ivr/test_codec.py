"""Checkpoints as bytes: whole, small, and readable by the releases on either side."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ivr.core.codec import decode, encode
from services.ivr.core.limits import MAX_CHECKPOINT_BYTES
from services.ivr.model.call import CallInvited, QueueLeft, TransferKind
from services.ivr.model.checkpoint import (
    CallFacts,
    Checkpoint,
    Handing,
    Purpose,
    Ring,
    Stage,
    Stay,
)
from services.ivr.model.errors import BadCheckpoint
from tests.unit.ivr.calls import Talk, flow_of

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(0, 1 << 53)
VALUES = st.one_of(WORDS, st.booleans(), st.integers(), st.floats(allow_nan=False, width=32))
NAMES = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
PAIRS = st.dictionaries(NAMES, WORDS, max_size=4).map(lambda pairs: tuple(pairs.items()))
FACTS = st.builds(CallFacts, call_id=WORDS, caller=WORDS, trunk=WORDS, headers=PAIRS)
STAYS = st.builds(Stay, entry_id=WORDS, queue_id=WORDS, asked_since_ms=NUMBERS, message=WORDS)
HANDED = st.builds(
    Handing,
    kind=st.sampled_from(TransferKind),
    target=WORDS,
    from_queue_id=WORDS,
    since_ms=NUMBERS,
    failed=st.booleans(),
)
RINGS = st.builds(Ring, ring_id=WORDS, agent_id=WORDS, give_up_at_ms=NUMBERS, rang=st.booleans())
CHECKPOINTS = st.builds(
    Checkpoint,
    flow_id=WORDS,
    version=NUMBERS,
    call=FACTS,
    stage=st.sampled_from(Stage),
    node=WORDS,
    variables=st.dictionaries(NAMES, VALUES, max_size=4).map(lambda pairs: tuple(pairs.items())),
    answered=st.booleans(),
    operation=WORDS,
    purpose=st.sampled_from(Purpose),
    operations=NUMBERS,
    stay=st.none() | STAYS,
    ring=st.none() | RINGS,
    handing=st.none() | HANDED,
    path=WORDS,
    treated=WORDS,
)
SMALL = Checkpoint("f", 1, CallFacts("c"), Stage.QUEUED, "begin")


@given(CHECKPOINTS)
def test_a_checkpoint_comes_back_whole(at: Checkpoint) -> None:
    again = decode(encode(at))
    assert again == at
    assert [type(value) for _, value in again.variables] == [
        type(value) for _, value in at.variables
    ]


def test_fields_at_their_defaults_take_no_room() -> None:
    assert json.loads(encode(SMALL)) == {
        "format": 1,
        "flow_id": "f",
        "version": 1,
        "call": {"call_id": "c"},
        "stage": "queued",
        "node": "begin",
    }


def test_what_a_later_release_adds_is_ignored() -> None:
    later = json.loads(encode(replace(SMALL, stay=Stay("e", "q"))))
    later["mood"] = "good"
    later["stay"]["mood"] = ["better"]
    assert decode(json.dumps(later).encode()) == replace(SMALL, stay=Stay("e", "q"))


def test_the_largest_call_fits_with_room_to_spare() -> None:
    worst = '"' * 9_999
    nodes = {
        "begin": {"kind": "enqueue", "queue": "q" * 64, "on_exit": {}},
    }
    pad = {f"v{number}": '"' * 480 for number in range(4)}
    invited = CallInvited(
        worst, worst, worst, worst, worst, worst, worst, worst,
        tuple((f"x-{number}", worst) for number in range(99)),
    )  # fmt: skip
    talk = Talk(flow_of(nodes, variables=pad), invited=invited)
    talk.feed(QueueLeft(talk.entry, "closed", message=worst))
    assert 9_000 < len(encode(talk.at)) < MAX_CHECKPOINT_BYTES


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff",
        b"null",
        b'{"format":2}',
        b'{"format":1}',
        encode(SMALL).replace(b"queued", b"dreaming"),
        encode(SMALL).replace(b'"version":1', b'"version":"1"'),
        encode(SMALL).replace(b'{"call_id":"c"}', b'"c"'),
        encode(SMALL).replace(b'"node"', b'"variables":7,"node"'),
        b"[" * 9_000,
        b" " * (MAX_CHECKPOINT_BYTES + 1),
    ],
)
def test_what_is_no_checkpoint_is_a_named_error(data: bytes) -> None:
    with pytest.raises(BadCheckpoint):
        decode(data)
