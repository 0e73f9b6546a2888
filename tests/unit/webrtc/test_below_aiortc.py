"""The gateway takes aiortc's transports and none of its codecs: their library is GPL."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def said(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'media-gateway'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_gateway_never_loads_codecs() -> None:
    loaded = "sorted(name for name in sys.modules if name.split('.')[0] == 'av')"
    assert said(f"import sys, media_gateway.main; print({loaded})") == "[]"
    assert "libx264" not in said("import media_gateway.main; print(open('/proc/self/maps').read())")


def test_whoever_asks_for_more_gets_the_whole_package_with_the_same_classes() -> None:
    assert (
        said(
            "import media_gateway.webrtc.transport as ours\n"
            "import aiortc\n"
            "from aiortc import RTCPeerConnection, RTCDtlsTransport, mediastreams\n"
            "print(RTCDtlsTransport is aiortc.rtcdtlstransport.RTCDtlsTransport,"
            " RTCPeerConnection.__name__, mediastreams.__name__, bool(aiortc.__version__))"
        )
        == "True RTCPeerConnection aiortc.mediastreams True"
    )


def test_the_whole_package_stays_as_it_is_when_it_is_there_already() -> None:
    assert (
        said(
            "import aiortc\n"
            "import media_gateway.webrtc.transport\n"
            "import sys\n"
            "print(sys.modules['aiortc'] is aiortc, 'av' in sys.modules)"
        )
        == "True True"
    )


def test_a_name_that_nobody_has_is_an_attribute_error() -> None:
    assert (
        said("import media_gateway.webrtc, aiortc; print(hasattr(aiortc, 'no_such_thing'))")
        == "False"
    )


def test_another_module_of_the_package_brings_the_whole_first() -> None:
    assert (
        said(
            "import media_gateway.webrtc.transport\n"
            "from aiortc.sdp import SessionDescription\n"
            "print(SessionDescription.__module__)"
        )
        == "aiortc.sdp"
    )
