"""Steps: kept in turn, refused whole."""

from __future__ import annotations

import pytest

from media_gateway.core import happenings as h
from media_gateway.core.steps import (
    Answer,
    Dial,
    GatherKeys,
    Hangup,
    Note,
    Play,
    RingAgent,
    Step,
)
from media_gateway.model import (
    BadCommand,
    StaleStep,
    StepTooLarge,
    Termination,
    TerminationClass,
)
from tests.unit.gateway.driver import (
    HELLO,
    Driver,
)

HANDLED = Termination(TerminationClass.SUCCESS, "handled")


def _step(**fields: object) -> Step:
    given: dict[str, object] = {
        "epoch": 1, "step": 1, "consumed_seq": 0, "checkpoint": b"", "commands": (Answer(),)
    }  # fmt: skip
    return Step(**{**given, **fields})  # type: ignore[arg-type] # fields of one test each


@pytest.mark.parametrize("step", [_step(epoch=0), _step(epoch=2), _step(step=0), _step(step=2)])
def test_a_step_out_of_turn_is_not_done(step: Step) -> None:
    driver = Driver().attached()
    with pytest.raises(StaleStep):
        driver.do(h.KeepStep(step))
    driver.do(h.KeepStep(_step()))
    with pytest.raises(StaleStep):
        driver.do(h.KeepStep(_step()))


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (_step(checkpoint=b"x" * 16_385), StepTooLarge),
        (_step(commands=(Answer(),) * 33), StepTooLarge),
        (_step(commands=(Play("p", (HELLO,) * 17),)), StepTooLarge),
        (_step(commands=(Note("n", {"k": "v" * 257}),)), StepTooLarge),
        (_step(commands=(Play("", (HELLO,)),)), BadCommand),
        (_step(commands=(Play("p", ()),)), BadCommand),
        (_step(commands=(GatherKeys("g", (), max_digits=0),)), BadCommand),
        (_step(commands=(GatherKeys("g", (), max_digits=1, end_key="x"),)), BadCommand),
        (
            _step(commands=(GatherKeys("g", (), max_digits=1, first_digit_timeout_ms=-1),)),
            BadCommand,
        ),
        (_step(commands=(RingAgent("", "a", "sip:1@127.0.0.1", 1_000),)), BadCommand),
        (_step(commands=(Dial("d", "+12025550199", 0),)), BadCommand),
        (_step(commands=(Hangup(HANDLED, 200),)), BadCommand),
    ],
)
def test_a_step_beyond_its_limits_is_refused_whole(step: Step, error: type[Exception]) -> None:
    driver = Driver().attached()
    before = driver.core.snapshot()
    with pytest.raises(error):
        driver.do(h.KeepStep(step))
    assert driver.core.snapshot() == before


def test_the_tenant_is_named_once_and_stays() -> None:
    driver = Driver().attached()
    driver.step(Answer(), tenant="acme")
    driver.step(tenant="other")
    assert driver.call.flow.tenant_id == "acme"
