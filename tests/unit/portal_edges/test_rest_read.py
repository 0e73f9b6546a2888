"""Whatever is sent is either read as it was meant or refused by name."""

from __future__ import annotations

import contextlib
import json
import string
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st

from services.portal.access import Exposed
from services.portal.problem import BadRequest
from services.portal.rest_paths import Found, Paths
from services.portal.rest_read import read
from services.portal.rest_values import MAX_DEPTH
from tests.unit.portal_edges.stage import REGISTRY

PATHS = Paths(REGISTRY)
NAMES = st.sampled_from(
    ["name", "queue_id", "plan", "steps", "expr", "of", "kind", "level", "open", "max_wait_ms"]
)
TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["\x00", "\ud800", "9" * 30, "-1", "NaN"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def found(verb: str, path: str) -> Found:
    there = PATHS.find(verb, path)
    assert isinstance(there, Found)
    return there


def put_queue(tree: Any) -> Any:
    message: Any = read(found("PUT", "/v1/queues/q"), query=[], body=json.dumps(tree).encode())
    return message.queue


@settings(max_examples=300)
@given(TREES)
def test_any_json_is_read_or_refused(tree: Any) -> None:
    try:
        queue = put_queue(tree)
    except BadRequest:
        return
    # What was read says the same as what was sent.
    told = json_format.MessageToDict(queue, preserving_proto_field_name=True)
    assert set(told) <= {*tree, "queue_id"}


@settings(max_examples=200)
@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        read(found("PUT", "/v1/queues/q"), query=[], body=body)
    except BadRequest:
        return
    assert isinstance(json.loads(body), dict)


@settings(max_examples=300)
@given(
    st.sampled_from([each for each in REGISTRY if each.bindings[:1] and not each.bindings[0].body]),
    st.lists(
        st.tuples(
            st.sampled_from(["page.size", "page.token", "page", "search", "from_ms", "exits", ""])
            | st.text(string.ascii_lowercase + "._", max_size=12),
            st.text(max_size=8) | st.sampled_from(["3", "true", "1e999", "-1"]),
        ),
        max_size=4,
    ),
)
def test_any_query_is_read_or_refused(exposed: Exposed, query: list[tuple[str, str]]) -> None:
    path = exposed.bindings[0].template.replace("{", "").replace("}", "")
    there = found("GET", path) if exposed.bindings[0].verb == "GET" else None
    if there is None:
        return
    with contextlib.suppress(BadRequest):
        assert isinstance(read(there, query=query, body=None), exposed.request)


def field_refused(tree: Any) -> str:
    with pytest.raises(BadRequest) as caught:
        put_queue(tree)
    return caught.value.field


def test_the_field_is_named_wherever_it_is() -> None:
    deep = {"plan": {"steps": [{"for_s": 1}, {"expr": {"of": [{"kind": "any"}, {"kind": 3}]}}]}}
    assert field_refused(deep) == "queue.plan.steps[1].expr.of[1].kind"
    assert field_refused({"plan": []}) == "queue.plan"
    assert field_refused({"plan": {"steps": {}}}) == "queue.plan.steps"
    assert field_refused({"open": "true"}) == "queue.open"
    assert field_refused({"max_wait_ms": 2**63}) == "queue.max_wait_ms"
    assert field_refused({"max_wait_ms": True}) == "queue.max_wait_ms"
    assert field_refused({"max_wait_ms": 1.0}) == "queue.max_wait_ms"
    assert field_refused({"name": "a\x00b"}) == "queue.name"
    assert field_refused({"x" * 500: 1}) == ("queue." + "x" * 500)[:100]


def test_long_numbers_are_read_as_numbers_and_as_text() -> None:
    for value in (9_007_199_254_740_993, "9007199254740993"):
        assert put_queue({"max_wait_ms": value}).max_wait_ms == 9_007_199_254_740_993


def test_maps_hold_text() -> None:
    there = found("PUT", "/v1/customers/c1")
    good = read(there, query=[], body=b'{"attributes": {"a b": "c"}}')
    assert dict(good.customer.attributes) == {"a b": "c"}  # type: ignore[attr-defined]  # of a generated class
    for body in (
        b'{"attributes": []}',
        b'{"attributes": {"a": 1}}',
        b'{"attributes":{"\\u0000":""}}',
    ):
        with pytest.raises(BadRequest):
            read(there, query=[], body=body)


def test_what_holds_itself_has_a_limit_of_depth() -> None:
    def nested(depth: int) -> Any:
        tree: Any = {"kind": "any"}
        for _ in range(depth):
            tree = {"kind": "not", "of": [tree]}
        return {"plan": {"steps": [{"expr": tree}]}}

    assert put_queue(nested(MAX_DEPTH - 5)).plan.steps[0].expr.kind == "not"
    with pytest.raises(BadRequest, match="deep"):
        put_queue(nested(MAX_DEPTH + 5))
    with pytest.raises(BadRequest, match="deep"):
        read(found("PUT", "/v1/queues/q"), query=[], body=b"[" * 100_000)


def test_a_name_twice_and_what_is_no_json_are_refused() -> None:
    there = found("PUT", "/v1/queues/q")
    for body in (b'{"name": "a", "name": "b"}', b'{"max_wait_ms": NaN}', b"[]", b"3", b'"x"'):
        with pytest.raises(BadRequest):
            read(there, query=[], body=body)
    utf16 = '{"name": "a"}'.encode("utf-16")
    with pytest.raises(BadRequest, match="UTF-8"):
        read(there, query=[], body=utf16)


def test_an_empty_body_is_an_empty_request_where_the_body_is_all_of_it() -> None:
    there = found("POST", "/v1/desk/reservations/e.1:accept")
    message: Any = read(there, query=[], body=None)
    assert message.reservation_id == "e.1"


def test_more_parameters_than_anybody_needs_are_refused() -> None:
    with pytest.raises(BadRequest, match="200"):
        read(found("GET", "/v1/entries"), query=[("exits", "x")] * 201, body=None)
