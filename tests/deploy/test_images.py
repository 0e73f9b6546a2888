"""What docker/Dockerfile promises, read from it; tests/deploy/images_call.py runs what it makes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from docker.images import TARGETS
from docker.supply import IMAGES, ROOT, names, python_packages

PYTHON_IMAGES = [image for image, locks in IMAGES.items() if locks]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
LINES = [
    line
    for line in DOCKERFILE.replace("\\\n", " ").splitlines()
    if line.strip() and not line.startswith("#")
]


def stages() -> dict[str, tuple[str, list[str]]]:
    """Name → what it is from, and its instructions."""
    found: dict[str, tuple[str, list[str]]] = {}
    name = ""
    for line in LINES:
        if match := re.fullmatch(r"FROM (\S+) AS (\S+)", line):
            name = match[2]
            found[name] = (match[1], [])
        elif name:
            found[name][1].append(re.sub(r"\s+", " ", line))
    return found


STAGES = stages()


def instructions(target: str) -> list[str]:
    """Those of an image and of what it is from, in the order in which they are carried out."""
    source, own = STAGES[target]
    return [*(instructions(source) if source in STAGES else ()), *own]


def test_every_image_is_a_stage_and_every_stage_is_from_the_one_base() -> None:
    assert {*TARGETS} == {*IMAGES}
    assert {*TARGETS} <= {*STAGES}
    assert {source for source, _ in STAGES.values() if source not in STAGES} == {"${BASE}"}
    assert LINES[0].startswith("ARG BASE=docker.io/library/python:3.12-slim-bookworm")


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_runs_as_nobody_in_particular_and_says_how_it_is(target: str) -> None:
    lines = instructions(target)
    users = [line for line in lines if line.startswith("USER ")]
    assert users == ["USER 10001:10001"]
    after = lines[lines.index(users[0]) :]
    assert not [line for line in after if line.startswith(("RUN", "COPY"))]
    assert any(line.startswith("HEALTHCHECK ") and "health" in line for line in lines)
    (entry,) = (line for line in lines if line.startswith("ENTRYPOINT "))
    # A list: no shell stands between the signal and the program.
    assert len(json.loads(entry.removeprefix("ENTRYPOINT "))) == 1
    (volumes,) = (line for line in lines if line.startswith("VOLUME "))
    assert json.loads(volumes.removeprefix("VOLUME ")) == [
        "/var/lib/carillon",
        "/run/carillon",
        "/tmp",
    ]


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_has_labels_and_its_bill_of_materials(target: str) -> None:
    text = "\n".join(instructions(target))
    for label in ("title", "description", "licenses", "version", "revision", "documentation"):
        assert f"org.opencontainers.image.{label}=" in text, label
    assert "/usr/share/doc/carillon/sbom.cdx.json" in text


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_installs_nothing_by_itself(target: str) -> None:
    """Compilers, package managers' caches and tests stay in the stages before."""
    installing = re.compile(r"apt-get|pip install|npm|curl|wget|gcc")
    assert [line for line in instructions(target) if installing.search(line)] == []
    copied = " ".join(line for line in instructions(target) if line.startswith("COPY"))
    assert "tests" not in copied


def test_everything_installed_is_named_by_its_hash() -> None:
    scripts = [
        *LINES,
        *(ROOT / "docker" / "install.sh").read_text().replace("\\\n", " ").split("\n"),
    ]
    installing = [line for line in scripts if re.search(r"pip install|npm\.sh (ci|install)", line)]
    assert len(installing) >= 4
    for line in installing:
        assert "--require-hashes" in line or "npm.sh ci" in line, line


def test_nothing_is_fetched_from_anywhere_else_and_no_secret_is_kept() -> None:
    assert "://" not in DOCKERFILE
    assert not [line for line in LINES if line.startswith("ADD ")]
    kept = [line for line in LINES if line.startswith(("ENV", "ARG"))]
    assert not [line for line in kept if re.search(r"PASSWORD|SECRET|TOKEN|KEY", line)]


def test_the_context_is_what_is_listed_and_nothing_else() -> None:
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in ignore if line and not line.startswith("#")]
    assert rules[0] == "*"
    taken = [line.removeprefix("!") for line in rules if line.startswith("!")]
    assert not {"tests", "var", ".git", ".venv"} & {*taken}
    for path in taken:
        assert list(ROOT.glob(path)), path


@pytest.mark.parametrize("image", PYTHON_IMAGES)
def test_an_images_lock_has_the_versions_that_everything_was_tested_with(image: str) -> None:
    lock = ROOT / f"requirements-{image}.lock"
    assert {*python_packages(lock)} <= {*python_packages(ROOT / "requirements.lock")}


def test_no_image_has_codecs_that_are_gpl() -> None:
    for image in PYTHON_IMAGES:
        assert "av" not in names(python_packages(ROOT / f"requirements-{image}.lock"))


def test_the_health_check_asks_where_metrics_are_shown() -> None:
    program = Path(ROOT / "docker" / "bin" / "carillon-health").read_text()
    assert '"/healthz"' in program
    assert "CARILLON_METRICS_PORT=" in DOCKERFILE


def test_the_edge_has_the_kamailio_that_its_configuration_is_tried_with() -> None:
    script = (ROOT / "docker" / "kamailio.sh").read_text()
    (version,) = re.findall(r"'kamailio=(\d+\.\d+)\.", script)
    said = (ROOT / "docs" / "decisions" / "0009-cluster.md").read_text()
    assert f"Kamailio {version} is what was tried" in said
    assert "EDGE_DIR=/run/carillon" in "\n".join(instructions("edge"))
