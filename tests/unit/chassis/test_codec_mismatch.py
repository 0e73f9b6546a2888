"""A codec that would lose something cannot be built."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import SimpleNamespace

import pytest

from services.chassis.codec import Codec, ModelMismatch
from tests.unit.chassis.proto_text import messages


class Colour(StrEnum):
    RED = "red"


class Number(IntEnum):
    ONE = 1


@dataclass(frozen=True)
class Part:
    name: str


@dataclass(frozen=True)
class Other:
    name: str


PART = ["string name"]


@pytest.mark.parametrize(
    ("annotation", "line", "told"),
    [
        (int, "int64 other", "Whole.field: sample.v1.Whole has no `int64 field`"),
        (int, "string field", "sample.v1.Whole.field is not `int64 field`"),
        (str, "bytes field", "is not `string field`"),
        (bytes, "string field", "is not `bytes field`"),
        (bool, "int64 field", "is not `bool field`"),
        (float, "float field", "is not `double field`"),
        (float, "int64 field", "is not `double field`"),
        (Colour, "int64 field", "is not `string field`"),
        (int, "repeated int64 field", "is not `int64 field`"),
        (int, "map<string, int64> field", "is not `int64 field`"),
        (int | None, "int64 field", "is not `optional int64 field`"),
        (Colour | None, "string field", "is not `optional string field`"),
        (Part | None, "repeated Part field", "is not `Part field`"),
        (Part, "string field", "is not `Part field`"),
        (Part, "Other field", "is not `Part field`"),
        (str, "Part field", "is not `string field`"),
        (tuple[int, ...], "int64 field", "is not `repeated int64 field`"),
        (tuple[int, ...], "map<string, int64> field", "is not `repeated int64 field`"),
        (tuple[tuple[str, int], ...], "repeated int64 field", r"is not `map<string, int64> field`"),
        (tuple[tuple[str, int], ...], "map<string, string> field", "is not `map<string, int64>"),
        (tuple[tuple[str, int], ...], "map<int64, int64> field", "only maps by text"),
        (tuple[int, str], "repeated int64 field", "only tuples of any length"),
        (tuple[tuple[int, int], ...], "map<int64, int64> field", "not a type"),
        (tuple[tuple[int, ...], ...], "repeated int64 field", "not a type"),
        (tuple[int, ...] | None, "repeated int64 field", "not a type"),
        (int | str, "int64 field", "one type, or one type and None"),
        (int | str | None, "int64 field", "one type, or one type and None"),
        (dict[str, int], "map<string, int64> field", "not a type"),
        (list[int], "repeated int64 field", "not a type"),
        (object, "string field", "not a type"),
        (Number, "int64 field", "not a type"),
    ],
)
def test_a_type_that_does_not_fit_is_refused(annotation: object, line: str, told: str) -> None:
    whole = dataclasses.make_dataclass("Whole", [("field", annotation)], frozen=True)
    module = messages(Whole=[line], Part=PART, Other=PART)
    with pytest.raises(ModelMismatch, match=told):
        Codec((module,), (whole,))


def test_half_a_choice_cannot_be_always_there() -> None:
    whole = dataclasses.make_dataclass("Whole", [("one", int), ("two", int | None)])
    with pytest.raises(ModelMismatch, match=r"Whole\.one is not `int64 one`"):
        Codec((messages(Whole=["oneof int64 one", "oneof int64 two"]),), (whole,))


def test_a_message_that_holds_more_than_the_model_is_refused() -> None:
    module = messages(Part=[*PART, "int64 extra", "int64 former deprecated"])
    with pytest.raises(ModelMismatch, match=r"Part: has no field for sample\.v1\.Part\.extra$"):
        Codec((module,), (Part,))


def test_every_misfit_is_told_at_once() -> None:
    whole = dataclasses.make_dataclass("Whole", [("one", int), ("part", Part)])
    module = messages(Whole=["string one", "Part part"], Part=["int64 name"])
    with pytest.raises(ModelMismatch) as caught:
        Codec((module,), (whole, Other))
    assert str(caught.value).splitlines() == [
        "Other: no message of this name",
        "Whole.one: sample.v1.Whole.one is not `int64 one`",
        "Part.name: sample.v1.Part.name is not `string name`",
    ]


def test_a_field_not_given_at_construction_is_refused() -> None:
    @dataclass
    class Whole:
        one: int = field(default=0, init=False)

    with pytest.raises(ModelMismatch, match="not given at construction"):
        Codec((messages(Whole=["int64 one"]),), (Whole,))


def test_what_is_no_dataclass_is_refused() -> None:
    with pytest.raises(ModelMismatch, match="Colour: not a dataclass"):
        Codec((messages(Colour=PART),), (Colour,))


def test_a_name_in_two_packages_is_refused() -> None:
    with pytest.raises(ModelMismatch, match=r"several messages: other\.v1\.Part, sample\.v1\.Part"):
        Codec((messages(Part=PART), messages("other.v1", Part=PART)), (Part,))


def test_two_dataclasses_of_one_name_are_refused() -> None:
    twin = dataclasses.make_dataclass("Part", [("name", str)])
    with pytest.raises(ModelMismatch, match=r"sample\.v1\.Part: two dataclasses"):
        Codec((messages(Part=PART),), (Part, twin))


def test_one_dataclass_for_two_messages_is_refused() -> None:
    whole = dataclasses.make_dataclass("Whole", [("part", Part)])
    module = SimpleNamespace(Whole=messages(Whole=["Part part"], Part=PART).Whole)
    with pytest.raises(ModelMismatch, match=r"Part: both other\.v1\.Part and sample\.v1\.Part"):
        Codec((module, messages("other.v1", Part=PART)), (Part, whole))
