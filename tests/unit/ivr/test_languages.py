"""Which voices may speak a language."""

from __future__ import annotations

import pytest

from services.ivr.core.languages import voices_for


@pytest.mark.parametrize(
    ("language", "voices"),
    [
        ("en", ("en", "en-us")),
        ("en-GB", ("en-gb", "en", "en-us")),
        ("de-CH", ("de-ch", "de")),
        ("zh", ("zh", "cmn")),
        ("zh-Hans-CN", ("zh-hans-cn", "zh-hans", "zh", "cmn")),
        ("zh-HK", ("zh-hk", "yue", "zh", "cmn")),
    ],
)
def test_the_nearest_voice_comes_first(language: str, voices: tuple[str, ...]) -> None:
    assert voices_for(language) == voices
