"""Whether a JSON value is what a field of a message takes; BadRequest names the one that is not."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from services.portal.problem import BadRequest

MAX_DEPTH = 32
"""Of messages within messages."""

_F = FieldDescriptor
RANGES: Final = {
    _F.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    _F.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    _F.CPPTYPE_UINT32: (0, 2**32 - 1),
    _F.CPPTYPE_UINT64: (0, 2**64 - 1),
}
LONG = (_F.CPPTYPE_INT64, _F.CPPTYPE_UINT64)
FLOATS = (_F.CPPTYPE_FLOAT, _F.CPPTYPE_DOUBLE)
_WHOLE = re.compile(r"-?[0-9]{1,20}")
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?")


def from_text(field: FieldDescriptor, text: str, path: str) -> Any:
    """A value as JSON would have it, from the text of a path or a query."""
    kind = field.cpp_type
    if kind in RANGES and _WHOLE.fullmatch(text):
        return int(text)
    if kind in FLOATS and _NUMBER.fullmatch(text):
        return float(text)
    if kind == _F.CPPTYPE_BOOL and text in {"true", "false"}:
        return text == "true"
    if kind in {_F.CPPTYPE_STRING, _F.CPPTYPE_ENUM}:
        return text
    raise BadRequest(f"this is not {_words(field)}", field=path)


def check_message(value: Any, descriptor: Descriptor, path: str = "", depth: int = 0) -> None:
    """Compares a JSON object with a message, as deep as it goes."""
    if not isinstance(value, dict):
        raise BadRequest("this is not a JSON object", field=path)
    if depth > MAX_DEPTH:
        raise BadRequest(f"nested more than {MAX_DEPTH} deep", field=short(path))
    for name, inner in value.items():
        field = descriptor.fields_by_name.get(name)
        inside = f"{path}.{name}" if path else name
        if field is None:
            raise BadRequest("there is no such field", field=short(inside))
        if is_map(field):
            _check_map(inner, field, inside, depth)
        elif field.is_repeated:
            if not isinstance(inner, list):
                raise BadRequest("this is not a list", field=inside)
            for place, item in enumerate(inner):
                _check_one(item, field, f"{inside}[{place}]", depth)
        else:
            _check_one(inner, field, inside, depth)


def _check_map(value: Any, field: FieldDescriptor, path: str, depth: int) -> None:
    if not isinstance(value, dict):
        raise BadRequest("this is not a JSON object", field=path)
    of = message_of(field).fields_by_name
    for key, item in value.items():
        _check_text(key, path)
        _check_one(item, of["value"], f"{path}.{short(key)}", depth)


def _check_one(value: Any, field: FieldDescriptor, path: str, depth: int) -> None:
    kind = field.cpp_type
    if kind == _F.CPPTYPE_MESSAGE:
        check_message(value, message_of(field), path, depth + 1)
        return
    if not _fits(value, field):
        raise BadRequest(f"this is not {_words(field)}", field=path)
    if isinstance(value, str):
        _check_text(value, path)


def _fits(value: Any, field: FieldDescriptor) -> bool:
    kind = field.cpp_type
    if kind in RANGES:
        if isinstance(value, str) and kind in LONG and _WHOLE.fullmatch(value):
            value = int(value)
        low, high = RANGES[kind]
        return type(value) is int and low <= value <= high
    if kind in FLOATS:
        return type(value) in {int, float} and abs(value) < 2**128
    if kind == _F.CPPTYPE_BOOL:
        return isinstance(value, bool)
    if kind == _F.CPPTYPE_ENUM:
        return isinstance(value, str) and value in enum_of(field).values_by_name
    return isinstance(value, str) and (field.type != _F.TYPE_BYTES or _is_base64(value))


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def check_texts(message: Message, path: str = "", depth: int = 0) -> None:
    """The same of a message that came as such: every text in it is one."""
    if depth > MAX_DEPTH:
        raise BadRequest(f"nested more than {MAX_DEPTH} deep", field=short(path))
    for field, value in message.ListFields():
        inside = f"{path}.{field.name}" if path else field.name
        if is_map(field):
            values = [*value, *value.values()]
        else:
            values = value if field.is_repeated else [value]
        for each in values:
            if isinstance(each, Message):
                check_texts(each, inside, depth + 1)
            elif isinstance(each, str):
                _check_text(each, inside)


def _check_text(text: str, path: str) -> None:
    """Databases do not keep U+0000, and half of a surrogate pair is no character."""
    if "\x00" in text or not _is_utf8(text):
        raise BadRequest("the text holds what is no character", field=short(path))


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def message_of(field: FieldDescriptor) -> Descriptor:
    """The message that a field holds."""
    assert field.message_type is not None, field.full_name
    return field.message_type


def enum_of(field: FieldDescriptor) -> EnumDescriptor:
    """The enumeration that a field holds."""
    assert field.enum_type is not None, field.full_name
    return field.enum_type


def is_map(field: FieldDescriptor) -> bool:
    """Whether a field is a map in the proto."""
    entry = field.message_type
    return entry is not None and bool(entry.GetOptions().map_entry)


def _words(field: FieldDescriptor) -> str:
    kind = field.cpp_type
    if kind in RANGES:
        low, high = RANGES[kind]
        return f"a whole number from {low} to {high}"
    if kind == _F.CPPTYPE_ENUM:
        return f"one of {', '.join(enum_of(field).values_by_name)}"
    words: Mapping[int, str] = {_F.CPPTYPE_BOOL: "true or false", _F.CPPTYPE_STRING: "a text"}
    if field.type == _F.TYPE_BYTES:
        return "base64"
    return words.get(kind, "a number")


def short(name: str) -> str:
    """A name that somebody else chose, short enough to be repeated to them."""
    return name.encode(errors="replace").decode()[:100]
