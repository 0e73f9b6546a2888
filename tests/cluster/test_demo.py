"""The demo's call goes through a cluster as it goes through one process."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.house.tree import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def test_the_demos_call_goes_through_a_cluster() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.demo", "--json", "--world", "cluster"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    story = json.loads(done.stdout)
    assert story["recording"]["sha256_verified"]
    assert story["kpis"]["after"]["answered"] == 1 + (story["kpis"]["before"]["answered"] or 0)
    assert {"acd-1", "acd-2", "gateway-1", "gateway-2"} <= story["memory_mb"].keys()
