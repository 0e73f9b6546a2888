"""From an HTTP request to the message of an RPC, with the field's name for whatever is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from services.portal.problem import BadRequest
from services.portal.rest_paths import Found
from services.portal.rest_values import MAX_DEPTH, check_message, from_text, message_of, short

MAX_QUERY_PARAMETERS = 200

Tree = dict[str, Any]


def read(found: Found, *, query: Sequence[tuple[str, str]], body: bytes | None) -> Message:
    """The RPC's request; BadRequest names the field that is wrong.

    `body` is None when none was sent. What the path says of a field holds; a body that says
    otherwise is refused.
    """
    descriptor = found.exposed.method.input_type
    tree = _body_tree(found, body)
    for name, value in found.values.items():
        _place(tree, descriptor, name, value)
    _add_query(tree, found, query)
    check_message(tree, descriptor)
    message = found.exposed.request()
    try:
        json_format.ParseDict(tree, message, max_recursion_depth=MAX_DEPTH + 2)
    except (json_format.ParseError, ValueError, TypeError) as error:
        raise BadRequest(f"the request does not fit: {error}") from None
    return message


def _body_tree(found: Found, body: bytes | None) -> Tree:
    name = found.binding.body
    if not name:
        if body:
            raise BadRequest(f"{found.binding.verb} takes no body here")
        return {}
    if body is None:
        if name == "*":
            return {}
        raise BadRequest("the body is missing", field=name)
    value = _parsed(body)
    if not isinstance(value, dict):
        raise BadRequest("the body is not a JSON object", field="" if name == "*" else name)
    return value if name == "*" else {name: value}


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_constant)
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
    except UnicodeDecodeError:
        raise BadRequest("the body is not UTF-8") from None
    except ValueError as error:
        raise BadRequest(f"the body is not JSON: {error}") from None


def _object(pairs: Iterable[tuple[str, Any]]) -> Tree:
    tree: Tree = {}
    for name, value in pairs:
        if name in tree:
            raise BadRequest("the field comes twice", field=short(name))
        tree[name] = value
    return tree


def _constant(name: str) -> Any:
    raise BadRequest(f"{name} is not JSON")


def _place(tree: Tree, descriptor: Descriptor, path: str, text: str) -> None:
    """Puts what the path says into its place."""
    *parents, last = path.split(".")
    for parent in parents:
        tree = tree.setdefault(parent, {})
        if not isinstance(tree, dict):
            raise BadRequest("this is not a JSON object", field=parent)
        descriptor = message_of(descriptor.fields_by_name[parent])
    value = from_text(descriptor.fields_by_name[last], text, path)
    if tree.setdefault(last, value) != value:
        raise BadRequest("the body and the path differ", field=path)


def _add_query(tree: Tree, found: Found, query: Sequence[tuple[str, str]]) -> None:
    if len(query) > MAX_QUERY_PARAMETERS:
        raise BadRequest(f"more than {MAX_QUERY_PARAMETERS} query parameters")
    taken = {*found.values, found.binding.body}
    for path, text in query:
        if found.binding.body == "*" or path in taken:
            raise BadRequest("this is not a query parameter here", field=short(path))
        _add_parameter(tree, found.exposed.method.input_type, path, text)


def _add_parameter(tree: Tree, descriptor: Descriptor, path: str, text: str) -> None:
    field: FieldDescriptor | None = None
    names = path.split(".")
    for place, name in enumerate(names):
        field = descriptor.fields_by_name.get(name)
        is_last = place == len(names) - 1
        if field is None or (field.message_type is None) != is_last:
            raise BadRequest("there is no such query parameter", field=short(path))
        if not is_last:
            if field.is_repeated:
                raise BadRequest("this can not be given in the query", field=short(path))
            tree, descriptor = tree.setdefault(name, {}), message_of(field)
    assert field is not None, "split gives at least one name"
    value = from_text(field, text, path)
    if field.is_repeated:
        tree.setdefault(field.name, []).append(value)
    elif field.name in tree:
        raise BadRequest("the query parameter comes twice", field=path)
    else:
        tree[field.name] = value
