"""Which types of a model's field fit which fields of a message."""

from __future__ import annotations

import dataclasses
import types
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, NewType, Union, get_args, get_origin

from google.protobuf.descriptor import Descriptor, FieldDescriptor

_F = FieldDescriptor
_INTEGERS = frozenset(
    {
        *(_F.TYPE_INT32, _F.TYPE_INT64, _F.TYPE_UINT32, _F.TYPE_UINT64, _F.TYPE_SINT32),
        *(_F.TYPE_SINT64, _F.TYPE_FIXED32, _F.TYPE_FIXED64, _F.TYPE_SFIXED32, _F.TYPE_SFIXED64),
    }
)
# `float` alone would lose digits, so a model's float asks for `double`.
_FITTING: dict[type, frozenset[int]] = {
    bool: frozenset({_F.TYPE_BOOL}),
    int: _INTEGERS,
    float: frozenset({_F.TYPE_DOUBLE}),
    str: frozenset({_F.TYPE_STRING}),
    bytes: frozenset({_F.TYPE_BYTES}),
}
_WORDS = {bool: "bool", int: "int64", float: "double", str: "string", bytes: "bytes"}


class Misfit(Exception):
    """Why one field does not fit."""


class Many(Enum):
    """How many values a field holds."""

    ONE = "one"
    OPTIONAL = "optional"
    REPEATED = "repeated"
    MAP = "map"


@dataclass(frozen=True, slots=True)
class Shape:
    """A field's type as the codec sees it."""

    many: Many
    """How many values."""
    leaf: type
    """What one value is: bool, int, float, str, bytes, a StrEnum or a dataclass."""

    @property
    def nests(self) -> bool:
        """Whether one value is a message of its own."""
        return dataclasses.is_dataclass(self.leaf)

    @property
    def is_worded(self) -> bool:
        """Whether one value is a word of a closed set."""
        return issubclass(self.leaf, StrEnum)

    def __str__(self) -> str:
        """The words of a proto file."""
        word = "string" if self.is_worded else _WORDS.get(self.leaf)
        word = word or self.leaf.__name__
        return {
            Many.ONE: word,
            Many.OPTIONAL: word if self.nests else f"optional {word}",
            Many.REPEATED: f"repeated {word}",
            Many.MAP: f"map<string, {word}>",
        }[self.many]


def shape_of(hint: Any) -> Shape:
    """How a field's annotation is read; Misfit for what the codec does not know."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        present = [part for part in arguments if part is not types.NoneType]
        if len(present) != 1:
            raise Misfit(f"{hint}: a field holds one type, or one type and None")
        return Shape(many=Many.OPTIONAL, leaf=_leaf(present[0]))
    if origin is tuple:
        if len(arguments) != 2 or arguments[1] is not Ellipsis:
            raise Misfit(f"{hint}: only tuples of any length, `tuple[X, ...]`")
        pair = get_args(arguments[0]) if get_origin(arguments[0]) is tuple else ()
        if len(pair) == 2 and pair[1] is not Ellipsis and _leaf(pair[0]) is str:
            return Shape(many=Many.MAP, leaf=_leaf(pair[1]))
        return Shape(many=Many.REPEATED, leaf=_leaf(arguments[0]))
    return Shape(many=Many.ONE, leaf=_leaf(hint))


def fit(shape: Shape, target: FieldDescriptor) -> None:
    """Raises Misfit unless a message's field takes exactly what the model's field holds."""
    value = value_part(target)
    is_map = value is not target
    many_fits = {
        Many.ONE: not target.is_repeated and not _in_choice(target),
        Many.OPTIONAL: not target.is_repeated and target.has_presence,
        Many.REPEATED: target.is_repeated and not is_map,
        Many.MAP: is_map,
    }[shape.many]
    if shape.nests:
        leaf_fits = value.message_type is not None and (
            value.message_type.name == shape.leaf.__name__
        )
    else:
        known = str if shape.is_worded else shape.leaf
        leaf_fits = value.type in _FITTING[known]
    if not (many_fits and leaf_fits):
        raise Misfit(f"{target.full_name} is not `{shape} {target.name}`")


def value_part(target: FieldDescriptor) -> FieldDescriptor:
    """The field itself; of a map with text keys, the value part of its entries."""
    entry: Descriptor | None = target.message_type
    if entry is None or not entry.GetOptions().map_entry:
        return target
    if entry.fields_by_name["key"].type != _F.TYPE_STRING:
        raise Misfit(f"{target.full_name}: only maps by text")
    return entry.fields_by_name["value"]


def _leaf(hint: Any) -> type:
    while isinstance(hint, NewType):
        hint = hint.__supertype__
    if isinstance(hint, type) and (
        hint in _FITTING or issubclass(hint, StrEnum) or dataclasses.is_dataclass(hint)
    ):
        return hint
    raise Misfit(f"{hint}: not a type that the codec knows")


def _in_choice(target: FieldDescriptor) -> bool:
    """Whether it is part of a `oneof` of several, of which all but one are absent."""
    return target.containing_oneof is not None and len(target.containing_oneof.fields) > 1
