"""What `make up` lets callers be handed on to outside."""

from __future__ import annotations

import json

import pytest

from media_gateway.core.policy import OutboundPolicy
from media_gateway.model import TargetRefused
from services.launcher.up import DIAL_ALLOW, OUTBOUND_PROXY, outside_env


def test_fictional_numbers_go_to_a_phone_of_this_machine_and_no_others_anywhere() -> None:
    env = outside_env({})
    policy = OutboundPolicy(
        networks=(),
        dial_patterns=tuple(json.loads(env[DIAL_ALLOW])),
        outbound_proxy=env[OUTBOUND_PROXY],
    )
    assert policy.dial_target("+12025550188") == "sip:+12025550188@127.0.0.1:5070"
    for number in ("+12025551188", "+4930123456", "911", "sip:+12025550188@192.0.2.1"):
        with pytest.raises(TargetRefused):
            policy.dial_target(number)


@pytest.mark.parametrize("name", [OUTBOUND_PROXY, DIAL_ALLOW])
def test_whoever_sets_a_way_out_has_that_and_nothing_else(name: str) -> None:
    assert outside_env({name: "x"}) == {}
