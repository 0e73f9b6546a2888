from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.trace import trace_id

CALL = "01930b5e-7c00-7abc-8def-0123456789ab"


@given(st.text(max_size=60))
def test_every_call_has_a_valid_trace(call_id: str) -> None:
    made = trace_id(call_id)
    assert re.fullmatch("[0-9a-f]{32}", made)
    assert made != "0" * 32
    assert trace_id(call_id) == made


def test_a_uuids_trace_is_its_digits() -> None:
    assert trace_id(CALL) == CALL.replace("-", "")
    assert trace_id(CALL.upper()) == CALL.replace("-", "")


@pytest.mark.parametrize("call_id", ["0" * 32, "", "g" * 32, "a" * 31 + "ä"])
def test_what_is_no_trace_id_is_hashed(call_id: str) -> None:
    assert trace_id(call_id) != call_id
