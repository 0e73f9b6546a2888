"""The codec carries every value of every supported type there and back."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NewType

import pytest
from google.protobuf.any_pb2 import Any as Envelope
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.codec import (
    MAX_BYTES,
    Codec,
    MalformedMessage,
    Unencodable,
    UnknownType,
)
from services.chassis.codec_plan import MAX_DEPTH
from tests.unit.chassis.proto_text import messages

Name = NewType("Name", str)
Nickname = NewType("Nickname", Name)
Millis = NewType("Millis", int)


class Colour(StrEnum):
    RED = "red"
    DEEP_BLUE = "deep blue"


class Maybe(StrEnum):
    NOTHING = ""
    SOMETHING = "something"


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Scalars:
    flag: bool
    count: Millis
    small: int
    share: float
    text: str
    nickname: Nickname
    data: bytes
    colour: Colour
    maybe: Maybe


@dataclass(frozen=True, slots=True)
class Compounds:
    point: Point
    other: Point | None
    words: tuple[Name, ...]
    colours: tuple[Colour, ...]
    points: tuple[Point, ...]
    numbers: tuple[tuple[Name, int], ...]
    places: tuple[tuple[str, Point], ...]
    tints: tuple[tuple[str, Colour], ...]


@dataclass(frozen=True, slots=True)
class Options:
    flag: bool | None
    count: int | None
    share: float | None
    text: Name | None
    data: bytes | None
    colour: Colour | None
    maybe: Maybe | None


@dataclass(frozen=True, slots=True)
class Tree:
    name: str
    of: tuple[Tree, ...] = ()
    shade: Tree | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    point: Point | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Grown:
    name: str
    level: int = 7
    colour: Colour = Colour.RED
    maybe: Maybe = Maybe.SOMETHING
    point: Point = Point(x=1, y=2)
    plain: int = 9


MESSAGES = messages(
    Point=["int64 x", "int64 y"],
    Scalars=[
        *("bool flag", "int64 count", "int32 small", "double share", "string text"),
        *("string nickname", "bytes data", "string colour", "string maybe"),
    ],
    Compounds=[
        *("Point point", "Point other", "repeated string words", "repeated string colours"),
        *("repeated Point points", "map<string, int64> numbers", "map<string, Point> places"),
        "map<string, string> tints",
    ],
    Options=[
        *("optional bool flag", "optional int64 count", "optional double share"),
        *("optional string text", "optional bytes data", "optional string colour"),
        "optional string maybe",
    ],
    Tree=["string name", "repeated Tree of", "Tree shade", "string former deprecated"],
    Choice=["oneof Point point", "oneof string text"],
    Grown=[
        *("string name", "optional int64 level", "string colour", "optional string maybe"),
        *("Point point", "int64 plain"),
    ],
)
TYPES = (Scalars, Compounds, Options, Tree, Choice, Grown)
CODEC = Codec((MESSAGES,), TYPES)

WORD: Any = "not what the type says"
NOTHING: Any = None
A_POINT: Any = Point(x=0, y=0)

INT64 = st.integers(-(2**63), 2**63 - 1)
INT32 = st.integers(-(2**31), 2**31 - 1)
TEXT = st.text(max_size=20)
POINTS = st.builds(Point, x=INT64, y=INT64)


def sorted_pairs(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.dictionaries(TEXT, values, max_size=5).map(lambda each: tuple(sorted(each.items())))


def tuples(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(values, max_size=5).map(tuple)


VALUES = st.one_of(
    POINTS,
    st.builds(
        Scalars,
        flag=st.booleans(),
        count=INT64,
        small=INT32,
        share=st.floats(allow_nan=False),
        text=TEXT,
        nickname=TEXT,
        data=st.binary(max_size=20),
        colour=st.sampled_from(Colour),
        maybe=st.sampled_from(Maybe),
    ),
    st.builds(
        Compounds,
        point=POINTS,
        other=st.none() | POINTS,
        words=tuples(TEXT),
        colours=tuples(st.sampled_from(Colour)),
        points=tuples(POINTS),
        numbers=sorted_pairs(INT64),
        places=st.dictionaries(TEXT, POINTS, max_size=5).map(
            lambda each: tuple(sorted(each.items(), key=lambda pair: pair[0]))
        ),
        tints=sorted_pairs(st.sampled_from(Colour)),
    ),
    st.builds(
        Options,
        flag=st.none() | st.booleans(),
        count=st.none() | INT64,
        share=st.none() | st.floats(allow_nan=False),
        text=st.none() | TEXT,
        data=st.none() | st.binary(max_size=20),
        colour=st.none() | st.sampled_from(Colour),
        maybe=st.none() | st.sampled_from(Maybe),
    ),
    st.builds(Choice, point=POINTS) | st.builds(Choice, text=TEXT) | st.just(Choice()),
    st.builds(
        Grown,
        name=TEXT,
        level=INT64,
        colour=st.sampled_from(Colour),
        maybe=st.sampled_from(Maybe),
        point=POINTS,
        plain=INT64,
    ),
    st.recursive(
        st.builds(Tree, name=TEXT),
        lambda trees: st.builds(Tree, name=TEXT, of=tuples(trees), shade=st.none() | trees),
        max_leaves=8,
    ),
)


@given(VALUES)
def test_every_value_comes_back_equal_and_of_the_same_types(value: object) -> None:
    back = CODEC.decode(CODEC.encode(value))
    assert back == value
    # `repr` also tells a StrEnum's member from its text, and -0.0 from 0.0.
    assert repr(back) == repr(value)


@given(VALUES)
def test_a_message_in_hand_holds_the_same(value: object) -> None:
    message = CODEC.to_proto(value)
    assert message.DESCRIPTOR.full_name == f"sample.v1.{type(value).__name__}"
    assert CODEC.from_proto(message, type(value)) == value


@given(VALUES)
def test_equal_values_give_equal_bytes(value: object) -> None:
    assert CODEC.encode(value) == CODEC.encode(CODEC.decode(CODEC.encode(value)))


@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_refused_by_name_or_read(data: bytes) -> None:
    with contextlib.suppress(MalformedMessage, UnknownType):
        CODEC.decode(data)


@given(VALUES, st.data())
def test_damaged_bytes_are_refused_by_name_or_read(value: object, data: st.DataObject) -> None:
    encoded = bytearray(CODEC.encode(value))
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(MalformedMessage, UnknownType):
        CODEC.decode(bytes(encoded))


def test_bytes_name_their_type_as_any_does() -> None:
    envelope = Envelope.FromString(CODEC.encode(Point(x=1, y=2)))
    assert envelope.TypeName() == "sample.v1.Point"
    message = MESSAGES.Point()
    assert envelope.Unpack(message)
    assert (message.x, message.y) == (1, 2)


def test_maps_are_sorted_when_read() -> None:
    value = Compounds(
        point=Point(x=0, y=0),
        other=None,
        words=(),
        colours=(),
        points=(),
        numbers=((Name("b"), 1), (Name("a"), 2)),
        places=(),
        tints=(),
    )
    assert CODEC.decode(CODEC.encode(value)).numbers == (("a", 2), ("b", 1))


def test_what_was_written_before_a_field_existed_takes_the_default() -> None:
    old = CODEC.from_proto(MESSAGES.Grown(name="old"), Grown)
    # `plain` cannot show its absence, so it is 0: such a field is to be declared `optional`.
    assert old == Grown(name="old", plain=0)


@pytest.mark.parametrize(
    ("message", "cls", "told"),
    [
        (MESSAGES.Compounds(), Compounds, "sample.v1.Compounds.point is missing"),
        (MESSAGES.Scalars(colour="green"), Scalars, "'green' is none of red, deep blue"),
        (MESSAGES.Scalars(), Scalars, "sample.v1.Scalars.colour: '' is none of red"),
        (MESSAGES.Options(colour="green"), Options, "sample.v1.Options.colour: 'green'"),
        (MESSAGES.Grown(colour="green"), Grown, "sample.v1.Grown.colour: 'green'"),
        (MESSAGES.Point(), Tree, "sample.v1.Point is not sample.v1.Tree"),
    ],
)
def test_a_message_without_a_value_is_refused(message: Any, cls: type, told: str) -> None:
    with pytest.raises(MalformedMessage, match=told):
        CODEC.from_proto(message, cls)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Point(x=2**63, y=0), "sample.v1.Point"),
        (Point(x=WORD, y=0), "sample.v1.Point"),
        (Point(x=NOTHING, y=0), "sample.v1.Point"),
        (Tree(name="\ud800"), "sample.v1.Tree"),
        (Tree(name="", of=(A_POINT,)), "sample.v1.Tree: Point is not Tree"),
        (Tree(name="", of=NOTHING), "sample.v1.Tree"),
        (Choice(point=Point(x=1, y=1), text="both"), "only one of point, text"),
        (Tree(name="x" * (MAX_BYTES + 1)), "at most 16777216"),
    ],
)
def test_a_value_without_a_message_is_refused(value: object, told: str) -> None:
    with pytest.raises(Unencodable, match=told):
        CODEC.encode(value)


def test_a_key_that_stands_twice_is_refused_rather_than_lost() -> None:
    empty = CODEC.from_proto(MESSAGES.Compounds(point=MESSAGES.Point()), Compounds)
    for name, pairs in (("numbers", ((Name("a"), 1),)), ("places", (("a", Point(x=0, y=0)),))):
        fields = {field: getattr(empty, field) for field in Compounds.__slots__}
        twice = Compounds(**{**fields, name: pairs * 2})
        with pytest.raises(Unencodable, match=f"{name}: the key 'a' stands twice"):
            CODEC.encode(twice)


def test_depth_is_limited_before_a_parser_would_refuse_it() -> None:
    tree = Tree(name="leaf")
    for _ in range(MAX_DEPTH - 1):
        tree = Tree(name="", of=(tree,))
    assert CODEC.decode(CODEC.encode(tree)) == tree
    with pytest.raises(Unencodable, match=f"more than {MAX_DEPTH} messages"):
        CODEC.encode(Tree(name="", of=(tree,)))


def test_a_stranger_is_unknown_whichever_way() -> None:
    @dataclass(frozen=True, slots=True)
    class Stranger:
        name: str

    with pytest.raises(UnknownType, match="Stranger"):
        CODEC.encode(Stranger(name=""))
    with pytest.raises(UnknownType, match="Stranger"):
        CODEC.from_proto(MESSAGES.Point(), Stranger)
    with pytest.raises(UnknownType, match=r"/other\.v1\.Point"):
        CODEC.decode(Envelope(type_url="/other.v1.Point").SerializeToString())
    with pytest.raises(UnknownType, match="without a type's name"):
        CODEC.decode(b"")


def test_too_many_bytes_are_not_even_parsed() -> None:
    with pytest.raises(MalformedMessage, match="at most"):
        CODEC.decode(bytes(MAX_BYTES + 1025))
