"""How each dataclass becomes its message: worked out once, when a codec is built."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar, cast, get_type_hints

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from services.chassis.codec_field import ABSENT, Read, Unencodable, Write, reader, writer
from services.chassis.codec_shape import Many, Misfit, fit, shape_of, value_part
from services.chassis.errors import CarillonError, Kind

MAX_DEPTH = 60
"""Of messages within messages; parsers stop at 100."""


class ModelMismatch(CarillonError):
    """A model and its messages do not fit; a mistake of the programme, found at start."""

    code: ClassVar[str] = "model-mismatch"
    kind: ClassVar[Kind] = Kind.INTERNAL


class Plan:
    """One dataclass and its message."""

    __slots__ = ("_compound", "_exclusive", "_plain", "cls", "make", "name")

    def __init__(self, cls: type, descriptor: Descriptor) -> None:
        self.cls = cls
        self.name: str = descriptor.full_name
        self.make: type[Message] = GetMessageClass(descriptor)
        self._plain: list[str] = []
        self._compound: list[tuple[str, Write, Read]] = []
        self._exclusive: list[tuple[str, ...]] = []

    def add_plain(self, name: str) -> None:
        """A field that is the same on both sides."""
        self._plain.append(name)

    def add_compound(self, name: str, write: Write, read: Read) -> None:
        """A field that needs work."""
        self._compound.append((name, write, read))

    def add_exclusive(self, names: tuple[str, ...]) -> None:
        """Fields of which at most one is set: a `oneof`."""
        self._exclusive.append(names)

    def fill(self, message: Message, value: Any, depth: int = MAX_DEPTH) -> None:
        """Writes a value into its empty message."""
        if depth == 0:
            raise Unencodable(f"{self.name}: more than {MAX_DEPTH} messages within one another")
        if value.__class__ is not self.cls:
            raise Unencodable(f"{self.name}: {type(value).__name__} is not {self.cls.__name__}")
        for name in self._plain:
            setattr(message, name, getattr(value, name))
        for name, write, _ in self._compound:
            write(message, getattr(value, name), depth)
        for names in self._exclusive:
            given = [name for name in names if getattr(value, name) is not None]
            if len(given) > 1:
                raise Unencodable(f"{self.name}: only one of {', '.join(given)} can be set")

    def read(self, message: Message) -> Any:
        """The value of a message."""
        values = {name: getattr(message, name) for name in self._plain}
        for name, _, read in self._compound:
            value = read(message)
            if value is not ABSENT:
                values[name] = value
        return self.cls(**values)


def draw_plans(*, messages: Sequence[Any], types: Sequence[type]) -> dict[type, Plan]:
    """Plans for dataclasses and all that they contain; ModelMismatch with every misfit."""
    drawing = _Drawing()
    for cls in types:
        drawing.begin(cls, messages)
    drawing.finish()
    if drawing.problems:
        raise ModelMismatch("\n".join(drawing.problems))
    return drawing.plans


class _Drawing:
    """Plans under way. Every plan exists before its fields do, so that a type may hold itself."""

    def __init__(self) -> None:
        self.plans: dict[type, Plan] = {}
        self.problems: list[str] = []
        self._open: list[tuple[Plan, Descriptor]] = []

    def begin(self, cls: type, messages: Sequence[Any]) -> None:
        if not dataclasses.is_dataclass(cls):
            self.problems.append(f"{cls.__name__}: not a dataclass")
            return
        found = {
            message.DESCRIPTOR.full_name: cast("Descriptor", message.DESCRIPTOR)
            for module in messages
            if isinstance(message := getattr(module, cls.__name__, None), type)
            and issubclass(message, Message)
        }
        if len(found) == 1:
            self._take(cls, *found.values())
        elif found:
            self.problems.append(f"{cls.__name__}: several messages: {', '.join(sorted(found))}")
        else:
            self.problems.append(f"{cls.__name__}: no message of this name")

    def finish(self) -> None:
        while self._open:
            plan, descriptor = self._open.pop()
            self._draw(plan, descriptor)

    def _take(self, cls: type, descriptor: Descriptor) -> Plan:
        plan = self.plans.get(cls)
        if plan is None:
            if any(other.name == descriptor.full_name for other in self.plans.values()):
                self.problems.append(f"{descriptor.full_name}: two dataclasses of this name")
            plan = self.plans[cls] = Plan(cls, descriptor)
            self._open.append((plan, descriptor))
        elif plan.name != descriptor.full_name:
            self.problems.append(f"{cls.__name__}: both {plan.name} and {descriptor.full_name}")
        return plan

    def _draw(self, plan: Plan, descriptor: Descriptor) -> None:
        hints = get_type_hints(plan.cls)
        fields = {field.name: field for field in dataclasses.fields(plan.cls)}
        for name, field in fields.items():
            try:
                self._field(plan, descriptor.fields_by_name.get(name), field, hints[name])
            except Misfit as misfit:
                self.problems.append(f"{plan.cls.__name__}.{name}: {misfit}")
        for target in descriptor.fields:
            if target.name not in fields and not target.GetOptions().deprecated:
                self.problems.append(f"{plan.cls.__name__}: has no field for {target.full_name}")
        for oneof in descriptor.oneofs:
            names = tuple(part.name for part in oneof.fields if part.name in fields)
            if len(names) > 1:
                plan.add_exclusive(names)

    def _field(
        self,
        plan: Plan,
        target: FieldDescriptor | None,
        field: dataclasses.Field[Any],
        hint: Any,
    ) -> None:
        shape = shape_of(hint)
        if not field.init:
            raise Misfit("is not given at construction")
        if target is None:
            raise Misfit(f"{plan.name} has no `{shape} {field.name}`")
        fit(shape, target)
        if shape.many is Many.ONE and not shape.is_worded and not target.has_presence:
            plan.add_plain(field.name)
            return
        nested = value_part(target).message_type
        inner = None if nested is None else self._take(shape.leaf, nested)
        missing = dataclasses.MISSING
        required = field.default is missing and field.default_factory is missing
        plan.add_compound(
            field.name,
            writer(shape, field.name, inner),
            reader(shape, target, inner, required=required),
        )
