"""Messages written as lines of proto text, made without a file or a compiler."""

from __future__ import annotations

import re
from types import SimpleNamespace

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto

PACKAGE = "sample.v1"
_LINE = re.compile(
    r"(?:(?P<rule>optional|repeated|oneof) )?(?P<type>map<(?P<key>\w+), (?P<value>\w+)>|\w+)"
    r" (?P<name>\w+)(?P<deprecated> deprecated)?"
)
_SCALARS = {
    word: getattr(FieldDescriptorProto, f"TYPE_{word.upper()}")
    for word in ("bool", "int32", "int64", "uint64", "double", "float", "string", "bytes")
}


def messages(package: str = PACKAGE, /, **fields: list[str]) -> SimpleNamespace:
    """What a generated module would hold, from each message's fields in proto words.

    `oneof X y` puts a field into the message's one choice.
    """
    file = descriptor_pb2.FileDescriptorProto(name="sample.proto", package=package, syntax="proto3")
    for name, lines in fields.items():
        message = file.message_type.add(name=name)
        for number, line in enumerate(lines, start=1):
            _field(message, number, line, package)
        # A choice that the compiler makes for `optional` comes after the written ones.
        for field in message.field:
            if field.proto3_optional:
                field.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{field.name}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = {name: pool.FindMessageTypeByName(f"{package}.{name}") for name in fields}
    return SimpleNamespace(
        **{name: message_factory.GetMessageClass(each) for name, each in found.items()}
    )


def _field(message: DescriptorProto, number: int, line: str, package: str) -> None:
    parts = _LINE.fullmatch(line)
    assert parts is not None, line
    field = message.field.add(name=parts["name"], number=number)
    field.label = FieldDescriptorProto.LABEL_OPTIONAL
    if parts["rule"] == "repeated":
        field.label = FieldDescriptorProto.LABEL_REPEATED
    if parts["rule"] == "optional":
        field.proto3_optional = True
    if parts["rule"] == "oneof":
        if not message.oneof_decl:
            message.oneof_decl.add(name="choice")
        field.oneof_index = 0
    if parts["deprecated"]:
        field.options.deprecated = True
    if parts["key"]:
        entry = message.nested_type.add(name=f"{parts['name'].title().replace('_', '')}Entry")
        entry.options.map_entry = True
        _field(entry, 1, f"{parts['key']} key", package)
        _field(entry, 2, f"{parts['value']} value", package)
        field.label = FieldDescriptorProto.LABEL_REPEATED
        _type(field, f".{package}.{message.name}.{entry.name}")
    else:
        word = parts["type"]
        _type(field, word if word in _SCALARS else f".{package}.{word}")


def _type(field: FieldDescriptorProto, word: str) -> None:
    if word in _SCALARS:
        field.type = _SCALARS[word]
    else:
        field.type = FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = word
