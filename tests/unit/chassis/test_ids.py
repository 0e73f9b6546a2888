from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.ids import RANDOM_BITS, uuid7

MILLIS = st.integers(0, 2**48 - 1)
BITS = st.integers(0, 2**RANDOM_BITS - 1)


@given(MILLIS, BITS)
def test_the_layout_is_that_of_version_7(now_ms: int, random_bits: int) -> None:
    made = uuid.UUID(uuid7(now_ms, random_bits))
    assert str(made) == uuid7(now_ms, random_bits)
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == now_ms
    rand_a, rand_b = made.int >> 64 & 0xFFF, made.int & (1 << 62) - 1
    assert rand_a << 62 | rand_b == random_bits


def test_the_example_of_the_rfc() -> None:
    # RFC 9562, appendix A.6.
    random_bits = 0xCC3 << 62 | 0x18C4DC0C0C07398F
    assert uuid7(0x017F22E279B0, random_bits) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(MILLIS, BITS, MILLIS, BITS)
def test_text_sorts_by_time(one_ms: int, one: int, two_ms: int, two: int) -> None:
    if one_ms != two_ms:
        assert (uuid7(one_ms, one) < uuid7(two_ms, two)) == (one_ms < two_ms)


@pytest.mark.parametrize(
    ("now_ms", "random_bits"), [(-1, 0), (2**48, 0), (0, -1), (0, 2**RANDOM_BITS)]
)
def test_parts_that_do_not_fit_are_refused(now_ms: int, random_bits: int) -> None:
    with pytest.raises(ValueError, match="bits"):
        uuid7(now_ms, random_bits)
