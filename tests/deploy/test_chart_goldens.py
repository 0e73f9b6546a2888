"""What the three sizes render, word for word: a change of the chart is seen where it lands.

`make goldens` writes them again.
"""

from __future__ import annotations

import os
import re

import pytest
import yaml

from tests.deploy.chart import GOLDEN, SIZES, Document, documents, title


def golden(size: str) -> str:
    """All of a size in one order, but dashboards and alerts, which are files of their own."""
    shown = [each for each in documents(size) if not _is_file(each)]
    shown.sort(key=lambda each: (each["metadata"].get("namespace", ""), title(each)))
    text = yaml.dump_all(shown, Dumper=yaml.CSafeDumper, sort_keys=True, width=100)
    # It changes with every setting, and says nothing of it.
    return re.sub(r"checksum/(\w+): [0-9a-f]{64}", r"checksum/\1: of-what-it-says", text)


def _is_file(document: Document) -> bool:
    return document["kind"] == "PrometheusRule" or "-dashboard-" in document["metadata"]["name"]


@pytest.mark.parametrize("size", SIZES)
def test_a_size_renders_what_was_agreed(size: str) -> None:
    path = GOLDEN / f"{size}.yaml"
    now = golden(size)
    if os.environ.get("CARILLON_GOLDENS") == "write":
        path.write_text(now)
    assert path.read_text() == now, "if the change is meant: make goldens"
