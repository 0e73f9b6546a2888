"""The main job as a script sees it: every step, tones on both sides, recording, figures."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest

from services.launcher.process import ROOT

pytestmark = pytest.mark.e2e


def demo(**env: str) -> tuple[int, dict[str, Any], str]:
    """Exit status, what was printed as JSON, and what was narrated."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.demo", "--json"],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    return run.returncode, json.loads(run.stdout), run.stderr


def test_the_demo_tells_every_step_and_what_both_heard() -> None:
    status, story, narrated = demo()
    assert (status, story["ok"], story["failed"]) == (0, True, None), narrated
    assert len(story["steps"]) == 19
    assert all(step["ok"] and step["ms"] >= 0 for step in story["steps"])
    assert story["agent_hears"]["freq_hz"] == 440
    assert story["caller_hears"]["freq_hz"] == 660
    assert story["caller_hears"]["lost"] == 0
    for heard in (story["agent_hears"], story["caller_hears"]):
        assert -16 < heard["level_dbm0"] < -10
    assert story["card"] == {"customer": "Carol Caller", "segment": "vip", "contacts": 2}
    assert story["accept_to_talking_ms"] > 0
    assert story["accept_to_two_way_audio_ms"] > 0
    assert story["termination"] == "agent-left"
    assert "number 1 in the queue" in story["announcement"]
    assert "hears the menu" in narrated
    recording = story["recording"]
    assert recording["id"] == story["call_id"]
    assert (recording["state"], recording["sha256_verified"]) == ("complete", True)
    assert re.fullmatch("[0-9a-f]{64}", recording["sha256"])
    assert -14 < recording["left_dbm0"] < -12
    assert -14 < recording["right_dbm0"] < -12
    before, after = story["kpis"]["before"], story["kpis"]["after"]
    assert (before["answered"], after["answered"]) == (0, 1)
    assert (before["service_level"], after["service_level"]) == (None, 100)


def test_a_demo_that_fails_says_which_step_and_why() -> None:
    # An address of documentation (RFC 5737): nobody's to listen on.
    status, story, narrated = demo(CARILLON_GATEWAY_SIP_HOST="203.0.113.1")
    assert (status, story["ok"]) == (1, False)
    assert story["failed"].startswith("Carillon: starts")
    assert "CARILLON_GATEWAY_SIP_HOST" in story["why"]
    assert "Failed" in narrated
