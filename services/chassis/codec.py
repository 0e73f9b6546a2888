r"""Model dataclasses as same-named protobuf messages, by one rule for all of them.

A dataclass fits the message of its own name when every field has a field of the same name and a
fitting type on the other side; whatever does not fit is refused when the codec is built, so that
a built codec is total in both directions.

| model | message |
|---|---|
| `bool`, `int`, `float`, `str`, `bytes`, a NewType of one | `bool`, any integer, `double`, ... |
| a `StrEnum` | `string` |
| a dataclass | the message of its name |
| `X \| None` | a field with presence: `optional`, a message, part of a `oneof` |
| `tuple[X, ...]` | `repeated` |
| `tuple[tuple[str, X], ...]` | `map<string, X>`; sorted by key when read |

Schemas only grow. A field that bytes written earlier do not have takes the dataclass's default
where absence can be seen (`optional`, a message, an enum's empty string), else the zero value; a
field that a model gave up stays in the message, marked `deprecated`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, TypeVar, cast

from google.protobuf.any_pb2 import Any as Envelope
from google.protobuf.message import DecodeError, Message

from services.chassis.codec_field import MalformedMessage, Unencodable
from services.chassis.codec_plan import ModelMismatch, Plan, draw_plans
from services.chassis.errors import CarillonError, Kind

__all__ = [
    "MAX_BYTES",
    "Codec",
    "MalformedMessage",
    "ModelMismatch",
    "Unencodable",
    "UnknownType",
]

T = TypeVar("T")

MAX_BYTES = 16 * 1024 * 1024
"""Of one encoded value."""


class UnknownType(CarillonError):
    """The codec was not built for this type."""

    code: ClassVar[str] = "unknown-type"
    kind: ClassVar[Kind] = Kind.INTERNAL


class Codec:
    """The map between the given dataclasses, all that they contain, and protobuf.

    `messages` are the generated modules in which the messages of `types` are found; a message
    that another contains is found wherever it lives. Raises ModelMismatch, which names every
    field that does not fit.
    """

    def __init__(self, messages: Iterable[Any], types: Iterable[type]) -> None:
        self._plans = draw_plans(messages=tuple(messages), types=tuple(types))
        self._by_url = {_url(plan): plan for plan in self._plans.values()}

    def to_proto(self, value: Any) -> Message:
        """The message of a dataclass's value; UnknownType or Unencodable."""
        plan = self._plan(type(value))
        message = plan.make()
        try:
            plan.fill(message, value)
        except (TypeError, ValueError, AttributeError) as error:
            raise Unencodable(f"{plan.name}: {error}") from None
        return message

    def from_proto(self, message: Message, cls: type[T]) -> T:
        """The value that a message holds; UnknownType, or MalformedMessage naming the field."""
        plan = self._plan(cls)
        if message.DESCRIPTOR.full_name != plan.name:
            raise MalformedMessage(f"{message.DESCRIPTOR.full_name} is not {plan.name}")
        return cast("T", plan.read(message))

    def encode(self, value: Any) -> bytes:
        """Bytes that name the type: a `google.protobuf.Any`; equal values give equal bytes."""
        message = self.to_proto(value)
        url = _url(self._plan(type(value)))
        inner = message.SerializeToString(deterministic=True)
        if len(inner) > MAX_BYTES:
            raise Unencodable(f"{url[1:]}: {len(inner)} bytes, at most {MAX_BYTES}")
        return Envelope(type_url=url, value=inner).SerializeToString(deterministic=True)

    def decode(self, data: bytes) -> Any:
        """The value that `encode` was given; UnknownType or MalformedMessage."""
        if len(data) > MAX_BYTES + 1024:
            raise MalformedMessage(f"{len(data)} bytes, at most {MAX_BYTES}")
        try:
            envelope = Envelope.FromString(data)
            plan = self._by_url.get(envelope.type_url)
            if plan is None:
                raise UnknownType(envelope.type_url[:200] or "bytes without a type's name")
            return plan.read(plan.make.FromString(envelope.value))
        except DecodeError as error:
            raise MalformedMessage(str(error)) from None

    def _plan(self, cls: type) -> Plan:
        try:
            return self._plans[cls]
        except KeyError:
            raise UnknownType(f"{cls.__module__}.{cls.__qualname__}") from None


def _url(plan: Plan) -> str:
    # An `Any` names its type after the last slash; what stands before it means nothing here.
    return f"/{plan.name}"
