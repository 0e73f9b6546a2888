"""Keys pressed before anything asks for them answer the question that follows."""

from __future__ import annotations

from media_gateway.core import happenings as h
from media_gateway.core import reports
from media_gateway.core.steps import Answer, GatherKeys, Play
from media_gateway.model import CALLER_LEG, OperationEnd
from tests.unit.gateway.driver import HELLO, MUSIC, Driver, told


def press(driver: Driver, keys: str) -> None:
    for key in keys:
        driver.do(h.KeyPressed(CALLER_LEG, key, "rfc4733"))


def ended(driver: Driver) -> list[reports.OperationEnded]:
    return [report for report in told(driver.events) if isinstance(report, reports.OperationEnded)]


def menu(name: str = "menu", *, barge_in: bool = True, loop: bool = False) -> GatherKeys:
    return GatherKeys(name, (HELLO,), max_digits=1, barge_in=barge_in, loop=loop)


def test_a_key_during_the_greeting_chooses_in_the_menu_after_it() -> None:
    driver = Driver().attached()
    driver.step(Answer(), Play("greeting", (HELLO,)))
    press(driver, "1")
    driver.step(menu())
    assert ended(driver)[-1] == reports.OperationEnded("menu", OperationEnd.COMPLETE, "1")
    assert driver.call.typed_ahead == ""


def test_two_keys_answer_two_menus() -> None:
    driver = Driver().attached()
    driver.step(Answer(), Play("greeting", (HELLO,)))
    press(driver, "12")
    driver.step(menu("first"))
    driver.step(menu("second"))
    assert [end.digits for end in ended(driver)][-2:] == ["1", "2"]


def test_music_and_what_follows_it_get_no_old_keys() -> None:
    driver = Driver().attached()
    driver.step(Answer(), Play("greeting", (HELLO,)))
    press(driver, "*")
    driver.step(GatherKeys("queue", (MUSIC,), max_digits=1, barge_in=True, loop=True))
    driver.step(menu())
    assert all(end.digits == "" for end in ended(driver))
    assert driver.call.operation is not None
    assert driver.call.operation.name == "menu"


def test_a_question_that_must_be_heard_out_takes_no_key_from_before_it() -> None:
    driver = Driver().attached()
    driver.step(Answer(), Play("greeting", (HELLO,)))
    press(driver, "1")
    driver.step(menu(barge_in=False))
    assert all(end.digits == "" for end in ended(driver))
    assert driver.call.typed_ahead == ""


def test_no_more_than_32_keys_are_kept() -> None:
    driver = Driver().attached()
    driver.step(Answer(), Play("greeting", (HELLO,)))
    press(driver, "5" * 40)
    assert driver.call.typed_ahead == "5" * 32
