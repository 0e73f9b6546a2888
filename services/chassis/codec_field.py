"""How one field is written into its message and read back."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, ClassVar, Protocol, TypeAlias

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from services.chassis.codec_shape import Many, Shape
from services.chassis.errors import CarillonError, Kind

Write: TypeAlias = Callable[[Any, Any, int], None]
"""Takes a message, the field's value, and how many messages may still nest."""
Read: TypeAlias = Callable[[Any], Any]
"""Takes a message; gives the field's value, or ABSENT."""
ABSENT = object()
"""Read where the dataclass's own default holds."""


class Unencodable(CarillonError):
    """A value has no faithful message."""

    code: ClassVar[str] = "unencodable"
    kind: ClassVar[Kind] = Kind.INVALID


class MalformedMessage(CarillonError):
    """A message is not the faithful image of any value."""

    code: ClassVar[str] = "malformed-message"
    kind: ClassVar[Kind] = Kind.INVALID


class Nested(Protocol):
    """The plan of a message within a message."""

    def fill(self, message: Message, value: Any, depth: int) -> None:
        """Writes a value into its empty message."""

    def read(self, message: Message) -> Any:
        """The value of a message."""


def writer(shape: Shape, name: str, inner: Nested | None) -> Write:
    """Writes the field `name`; `inner` is the plan of its values where they are messages."""
    put, put_each, put_pairs = _put_nested(name, inner) if inner else _put_leaf(name)

    def put_if_present(message: Any, value: Any, depth: int) -> None:
        if value is not None:
            put(message, value, depth)

    return {
        Many.ONE: put,
        Many.OPTIONAL: put_if_present,
        Many.REPEATED: put_each,
        Many.MAP: put_pairs,
    }[shape.many]


def reader(shape: Shape, target: FieldDescriptor, inner: Nested | None, *, required: bool) -> Read:
    """Reads the field; `required` when the dataclass has no default for it."""
    name = target.name
    convert = _converter(shape, inner, target.full_name)
    if shape.many is Many.REPEATED:
        return lambda message: tuple(map(convert, getattr(message, name)))
    if shape.many is Many.MAP:
        return lambda message: tuple(
            (key, convert(part)) for key, part in sorted(getattr(message, name).items())
        )
    if shape.many is Many.OPTIONAL:
        return lambda message: convert(getattr(message, name)) if message.HasField(name) else None
    if not target.has_presence:
        return _enum_reader(shape.leaf, name, convert, required=required)

    def present(message: Any) -> Any:
        if message.HasField(name):
            return convert(getattr(message, name))
        if required:
            raise MalformedMessage(f"{target.full_name} is missing")
        return ABSENT

    return present


def _enum_reader(leaf: type, name: str, convert: Read, *, required: bool) -> Read:
    """Absence shows as the empty string, unless that is a word of the enum."""
    words = {member.value for member in leaf} if issubclass(leaf, StrEnum) else set()
    if required or "" in words:
        return lambda message: convert(getattr(message, name))

    def present(message: Any) -> Any:
        word = getattr(message, name)
        return convert(word) if word else ABSENT

    return present


def _put_nested(name: str, inner: Nested) -> tuple[Write, Write, Write]:
    fill = inner.fill

    def put(message: Any, value: Any, depth: int) -> None:
        part = getattr(message, name)
        part.SetInParent()
        fill(part, value, depth - 1)

    def put_each(message: Any, value: Any, depth: int) -> None:
        add = getattr(message, name).add
        for part in value:
            fill(add(), part, depth - 1)

    def put_pairs(message: Any, value: Any, depth: int) -> None:
        target = getattr(message, name)
        for key, part in value:
            _refuse_twice(name, key, target)
            fill(target[key], part, depth - 1)

    return put, put_each, put_pairs


def _put_leaf(name: str) -> tuple[Write, Write, Write]:
    def put(message: Any, value: Any, _: int) -> None:
        setattr(message, name, value)

    def put_each(message: Any, value: Any, _: int) -> None:
        getattr(message, name).extend(value)

    def put_pairs(message: Any, value: Any, _: int) -> None:
        target = getattr(message, name)
        for key, part in value:
            _refuse_twice(name, key, target)
            target[key] = part

    return put, put_each, put_pairs


def _refuse_twice(name: str, key: str, target: Any) -> None:
    if key in target:
        raise Unencodable(f"{name}: the key {key[:80]!r} stands twice")


def _converter(shape: Shape, inner: Nested | None, where: str) -> Read:
    if inner is not None:
        return inner.read
    if not issubclass(shape.leaf, StrEnum):
        return _same
    members: dict[str, StrEnum] = {member.value: member for member in shape.leaf}

    def member(word: str) -> StrEnum:
        try:
            return members[word]
        except KeyError:
            known = ", ".join(members)
            raise MalformedMessage(f"{where}: {word[:80]!r} is none of {known}") from None

    return member


def _same(value: Any) -> Any:
    return value
