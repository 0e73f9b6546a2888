"""JSON Schemas of messages, as REST reads and shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from services.portal.rest_values import RANGES, enum_of, is_map, message_of

PREFIX = "carillon."
_F = FieldDescriptor
_LONG_TEXT: Final = {
    _F.CPPTYPE_INT64: "^-?[0-9]{1,18}$",
    _F.CPPTYPE_UINT64: "^[0-9]{1,19}$",
}

Schema = dict[str, Any]


class Schemas:
    """Collects the schemas that are referred to.

    A message is described twice where it both comes and goes: in answers every field without
    presence is there, in requests any may be left out (`...Input`).
    """

    def __init__(self, comments: Mapping[str, str]) -> None:
        self._comments = comments
        self.named: dict[str, Schema] = {}

    def answer(self, message: Descriptor) -> Schema:
        """A reference to what an answer looks like."""
        return self._refer(message, is_input=False)

    def request(self, message: Descriptor, *, without: frozenset[str] = frozenset()) -> Schema:
        """What a request's body looks like; `without` what its path says already."""
        if without:
            return self._object(message, is_input=True, without=without)
        return self._refer(message, is_input=True)

    def parameter(self, field: FieldDescriptor) -> Schema:
        """What a field looks like in a path or a query, where everything is text."""
        kind = field.cpp_type
        if kind in RANGES:
            low, high = RANGES[kind]
            return {"type": "integer", "minimum": low, "maximum": high}
        return _plain(field)

    def _refer(self, message: Descriptor, *, is_input: bool) -> Schema:
        name = message.full_name.removeprefix(PREFIX) + ("Input" if is_input else "")
        if name not in self.named:
            self.named[name] = {}  # there already, for a message that holds its own kind
            self.named[name] = self._object(message, is_input=is_input)
        return {"$ref": f"#/components/schemas/{name}"}

    def _object(
        self, message: Descriptor, *, is_input: bool, without: frozenset[str] = frozenset()
    ) -> Schema:
        fields = [field for field in message.fields if field.name not in without]
        schema: Schema = {
            "type": "object",
            "properties": {field.name: self._field(field, is_input=is_input) for field in fields},
            "additionalProperties": False,
        }
        words = self._comments.get(message.full_name, "")
        if words:
            schema["description"] = words
        present = [field.name for field in fields if not field.has_presence]
        if present and not is_input:
            schema["required"] = present
        return schema

    def _field(self, field: FieldDescriptor, *, is_input: bool) -> Schema:
        words = self._comments.get(field.full_name, "")
        if is_map(field):
            value = message_of(field).fields_by_name["value"]
            schema: Schema = {
                "type": "object",
                "additionalProperties": self._one(value, is_input=is_input),
            }
        elif field.is_repeated:
            schema = {"type": "array", "items": self._one(field, is_input=is_input)}
        else:
            schema = self._one(field, is_input=is_input)
        return {**schema, "description": words} if words else schema

    def _one(self, field: FieldDescriptor, *, is_input: bool) -> Schema:
        kind = field.cpp_type
        if kind == _F.CPPTYPE_MESSAGE:
            return self._refer(message_of(field), is_input=is_input)
        if kind in _LONG_TEXT:
            text: Schema = {"type": "string", "format": "int64", "pattern": _LONG_TEXT[kind]}
            low, high = RANGES[kind]
            number = {"type": "integer", "minimum": low, "maximum": high}
            return {"anyOf": [number, text]} if is_input else text
        if kind in RANGES:
            low, high = RANGES[kind]
            return {"type": "integer", "minimum": low, "maximum": high}
        return _plain(field)


def _plain(field: FieldDescriptor) -> Schema:
    kind = field.cpp_type
    if kind == _F.CPPTYPE_BOOL:
        return {"type": "boolean"}
    if kind == _F.CPPTYPE_ENUM:
        return {"type": "string", "enum": list(enum_of(field).values_by_name)}
    if kind in {_F.CPPTYPE_FLOAT, _F.CPPTYPE_DOUBLE}:
        return {"type": "number"}
    if field.type == _F.TYPE_BYTES:
        return {"type": "string", "contentEncoding": "base64"}
    return {"type": "string"}
