"""What `carillon size --values` prints is what the chart takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from services.__main__ import app
from services.launcher.parts import helm
from tests.deploy.chart import CHART, GIVEN, of_kind, read

DEMANDS = {
    "one call": "--calls 1 --agents 1",
    "small": "--calls 500 --agents 200 --recorded 50% --browsers 20%",
    "large": "--calls 10000 --agents 8000 --days 365 --cores 16",
    "cells": "--calls 40000 --agents 30000 --largest 5%",
    "nothing spare": "--calls 300 --agents 300 --spare 0",
}


def printed(demand: str) -> str:
    result = CliRunner().invoke(app, ["size", *demand.split(), "--values"])
    assert result.exit_code == 0, result.stderr
    return result.stdout


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """As Helm merges values."""
    found = dict(base)
    for key, value in over.items():
        below = found.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            found[key] = merged(below, value)
        else:
            found[key] = value
    return found


@pytest.mark.parametrize("demand", DEMANDS.values(), ids=DEMANDS.keys())
def test_the_schema_takes_them(demand: str) -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    usual = yaml.safe_load((CHART / "values.yaml").read_text())
    jsonschema.validate(merged(usual, yaml.safe_load(printed(demand))), schema)


@pytest.mark.parametrize("demand", DEMANDS.values(), ids=DEMANDS.keys())
def test_the_chart_renders_with_them(demand: str, tmp_path: Path) -> None:
    asked = tmp_path / "size.yaml"
    asked.write_text(printed(demand))
    size = yaml.safe_load(asked.read_text())
    found = read(helm.render(CHART, values=[asked, GIVEN]))
    gateways = [
        each for each in of_kind(found, "StatefulSet") if "gateway" in each["metadata"]["name"]
    ]
    assert len(gateways) == size["gateway"]["processesPerNode"]
    assert {each["spec"]["replicas"] for each in gateways} == {size["gateway"]["replicas"]}
