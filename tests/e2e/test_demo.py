"""The main job as a script sees it: every step, tones on both sides, recording, figures."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from services.launcher.process import ROOT
from services.launcher.processes import born
from tests.demo.narration import Narration
from tests.demo.story import Story, StoryFailed

# Each test starts a whole installation, which takes a busy machine its time.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

VAR = ROOT / "var" / "demo"


def demo(**env: str) -> tuple[int, dict[str, Any], str]:
    """Exit status, what was printed as JSON, and what was narrated."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.demo", "--json"],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    return run.returncode, json.loads(run.stdout), run.stderr


def test_the_demo_tells_every_step_and_what_both_heard() -> None:
    status, story, narrated = demo()
    assert (status, story["ok"], story["failed"]) == (0, True, None), narrated
    assert len(story["steps"]) == 20
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


def test_a_demo_that_is_interrupted_leaves_nothing_running() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.demo", "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if "Seeding" in line:
                break
        run.send_signal(signal.SIGINT)
        printed, narrated = run.communicate(timeout=60)
    story = json.loads(printed)
    assert (run.returncode, story["ok"], story["why"]) == (130, False, "interrupted")
    assert "Interrupted. Everything is stopped again." in narrated
    recorded = json.loads((VAR / "processes.json").read_text())
    assert len(recorded) == 2
    assert [pid for pid, when in recorded.items() if born(int(pid)) == when] == []
    assert not (VAR / "postgres" / "data" / "postmaster.pid").exists()
    assert not Path(json.loads((VAR / "run.json").read_text())["run_dir"]).exists()


def told(story: Story) -> tuple[Narration, io.StringIO]:
    text = io.StringIO()
    narration = Narration(Console(file=text, width=80))
    story.tell = narration.tell
    return narration, text


def test_the_last_line_of_a_demo_names_what_to_do_next() -> None:
    story = Story(tell=lambda _: None)
    narration, text = told(story)
    with story.step("Carillon", "starts") as step:
        step.detail = "SIP [127.0.0.1]"
    heard = {"freq_hz": 440, "level_dbm0": -13.0}
    story.figures |= {"caller_hears": heard, "agent_hears": heard, "seconds": 1.0}
    narration.summarise(story, keep="make up")
    assert "SIP [127.0.0.1]" in text.getvalue()
    assert "make up" in text.getvalue().splitlines()[-1]


def test_a_reason_that_looks_like_markup_is_shown_as_it_is() -> None:
    story = Story(tell=lambda _: None)
    narration, text = told(story)
    with pytest.raises(StoryFailed), story.step("Carillon", "starts"):
        raise OSError("[/usr/bin/postgres] is [red] hot")
    narration.failed(story, Path("var/demo/log"))
    assert "OSError: [/usr/bin/postgres] is [red] hot" in text.getvalue()
    assert "The logs are in var/demo/log." in text.getvalue()
