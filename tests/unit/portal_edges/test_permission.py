"""Rules against roles."""

from __future__ import annotations

import pytest

from services.portal.core.permission import NotAllowed, NotYourOwn, Rule, named_agent, own_agent

TEAM = Rule(roles=frozenset({"agent", "supervisor"}))


def own(rule: Rule, *roles: str) -> str:
    return own_agent(rule, roles=frozenset(roles), user_id="anna")


def test_any_of_the_roles_is_enough() -> None:
    assert own(TEAM, "supervisor") == ""
    assert own(TEAM, "supervisor", "administrator") == ""
    with pytest.raises(NotAllowed, match="agent, supervisor"):
        own(TEAM, "administrator")
    with pytest.raises(NotAllowed):
        own(TEAM)


def test_who_is_allowed_only_as_an_agent_sees_only_their_own() -> None:
    assert own(TEAM, "agent") == "anna"
    # The other role does not count for this rule.
    assert own(TEAM, "agent", "administrator") == "anna"
    assert own(TEAM, "agent", "supervisor") == ""


def test_without_roles_whoever_is_authenticated_may() -> None:
    assert own(Rule(), "agent") == ""
    assert own(Rule()) == ""
    assert own(Rule(anonymous=True, roles=frozenset({"agent"}))) == ""


def test_an_agent_names_only_themselves() -> None:
    assert named_agent(named="", own_agent_id="anna") == "anna"
    assert named_agent(named="anna", own_agent_id="anna") == "anna"
    with pytest.raises(NotYourOwn):
        named_agent(named="ben", own_agent_id="anna")
    assert named_agent(named="ben", own_agent_id="") == "ben"
    assert named_agent(named="", own_agent_id="") == ""
