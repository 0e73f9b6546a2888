from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.crm.core.numbers import e164, region_of, shown


@pytest.mark.parametrize(
    ("number", "region", "expected"),
    [
        ("+493012345678", "", "+493012345678"),
        (" +49 (0)30 / 1234-5678 ", "", "+493012345678"),
        ("030 12345678", "DE", "+493012345678"),
        ("030 12345678", "de", "+493012345678"),
        ("0049 30 12345678", "DE", "+493012345678"),
        ("(212) 555-0123", "US", "+12125550123"),
        ("+39 02 3661 8300", "", "+390236618300"),
        ("030 12345678", "", ""),
        ("493012345678", "", ""),
        ("110", "DE", ""),
        ("+49171", "", "+49171"),
        ("+99912345", "", "+99912345"),
        ("anna", "DE", ""),
        ("", "DE", ""),
        ("+0", "", ""),
        ("+1", "", ""),
        ("+49", "", "+49"),
        ("+" + "1" * 40, "", ""),
    ],
)
def test_a_number_has_one_form_however_it_is_written(
    number: str, region: str, expected: str
) -> None:
    assert e164(number, region) == expected


@given(st.text(max_size=80), st.sampled_from(["", "DE", "RO", "US", "XX"]))
def test_what_was_made_e164_stays_so(number: str, region: str) -> None:
    made = e164(number, region)
    assert made == "" or made[0] == "+"
    assert e164(made) == made
    assert shown(shown(number, region), region) == shown(number, region)


@pytest.mark.parametrize(
    ("number", "region"),
    [("+493012345678", "DE"), ("+40213456789", "RO"), ("+8001234567", ""), ("100", ""), ("", "")],
)
def test_a_number_tells_its_region(number: str, region: str) -> None:
    assert region_of(number) == region


@pytest.mark.parametrize(
    ("number", "expected"),
    [("Anonymous", ""), ("", ""), (" anna ", "anna"), ("0211 123456", "+49211123456")],
)
def test_what_is_no_number_is_shown_as_it_came_unless_withheld(number: str, expected: str) -> None:
    assert shown(number, "DE") == expected
