from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.crm.core.checking import (
    checked_contact,
    checked_customer,
    checked_note,
    search_words,
    searched_text,
)
from services.crm.model import (
    Customer,
    InvalidContact,
    InvalidCustomer,
    InvalidSearch,
    Note,
    PastContact,
)

ANNA = Customer("c1", name="Anna", numbers=("+49 30 12345678", "+4930 12345678", "+4940111222"))
CALL = PastContact("call1", number="+49 30 12345678", to="100", notes=(Note("u", "U", "Hi.", 1),))


def test_numbers_are_made_e164_and_stand_once() -> None:
    assert checked_customer(ANNA).numbers == ("+493012345678", "+4940111222")


@pytest.mark.parametrize(
    "wrong",
    [
        {"customer_id": ""},
        {"customer_id": "a b"},
        {"customer_id": "a" * 65},
        {"name": "a" * 201},
        {"name": "a\0b"},
        {"segment": "s" * 65},
        {"note": "n" * 4_001},
        {"email": "nobody"},
        {"email": "anna\0@example.com"},
        {"language": "de_DE"},
        {"numbers": ("030 12345678",)},
        {"numbers": ("+x",)},
        {"numbers": tuple(f"+49301234{n:02}" for n in range(17))},
        {"attributes": tuple((f"k{n}", "v") for n in range(33))},
        {"attributes": (("k", "v" * 4_096),)},
        {"attributes": (("k\0", "v"),)},
    ],
)
def test_a_customer_out_of_form_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidCustomer):
        checked_customer(replace(ANNA, **wrong))


def test_a_customer_in_form_is_taken() -> None:
    full = replace(
        ANNA,
        email="anna@example.com",
        language="de-DE",
        attributes=(("plan", "gold"),),
        note="n" * 4_000,
    )
    assert checked_customer(full) == replace(full, numbers=("+493012345678", "+4940111222"))


def test_a_contact_in_form_is_taken_with_its_numbers_in_e164() -> None:
    checked = checked_contact(CALL)
    assert (checked.number, checked.to) == ("+493012345678", "100")


@pytest.mark.parametrize(
    "wrong",
    [
        {"contact_id": ""},
        {"contact_id": "a/b"},
        {"customer_id": "a b"},
        {"number": "1" * 65},
        {"outcome": "o\0"},
        {"queue_names": ("q",) * 51},
        {"agent_names": ("a" * 201,)},
        {"started_at_ms": -1},
        {"talk_ms": 1 << 47},
        {"recording_id": "r" * 129},
        {"notes": CALL.notes * 101},
        {"notes": (Note("u", "U", " ", 1),)},
    ],
)
def test_a_contact_out_of_form_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidContact):
        checked_contact(replace(CALL, **wrong))


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": ""},
        {"text": "t" * 4_001},
        {"author_id": "a" * 129},
        {"author_name": "a" * 201},
        {"at_ms": -1},
    ],
)
def test_a_note_out_of_form_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidContact):
        checked_note(replace(CALL.notes[0], **wrong))


def test_search_words_are_lower_case_once_and_bounded() -> None:
    assert search_words(" Anna  MÜLLER anna ") == ("anna", "müller")
    for wrong in ("a" * 201, "a\0", " ".join("abcdefghi")):
        with pytest.raises(InvalidSearch):
            search_words(wrong)


def test_a_search_looks_at_name_numbers_address_and_reference() -> None:
    customer = replace(ANNA, email="A@x.org", external_ref="REF-1", numbers=("+49301",))
    assert searched_text(customer) == "anna\n+49301\na@x.org\nref-1"
