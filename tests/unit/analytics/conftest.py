"""What tests of the face ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.analytics.scene import Play, play_in


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Plays a story in a world where analytics runs."""
    return lambda story: play_in(tmp_path, story)
