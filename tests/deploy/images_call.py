"""`make test-images`: the demo's call from a phone to an agent's browser, through containers.

It runs in a network namespace of its own (the make target makes it): what docker/compose.yaml lists
of Carillon's is on a bridge there, callers, agents and the parts that are not ours beside it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from docker.images import TARGETS, name_of
from docker.podman import Podman, PodmanFailed
from tests.demo.call import run_call
from tests.demo.story import Step, Story
from tests.stage.composed import Composed

# Sixteen containers and three servers start on as many cores as there are.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def carillon(podman: Podman, var: Path) -> AsyncIterator[Composed]:
    composed = Composed(var, podman, tell)
    yield composed
    await composed.stop()
    # Whoever was told to end ended by itself, and said that all was well.
    assert composed.statuses == dict.fromkeys(composed.replicas, 0)


def tell(line: str) -> None:
    sys.stderr.write(f"  · {line}\n")


def step_told(step: Step) -> None:
    tell(f"{step.who} {step.what}: {step.detail} ({step.ms:.0f} ms)")


async def test_a_call_goes_through_containers(carillon: Composed) -> None:
    """Menu, voice, queue, browser, recording, figures: all that `make demo` shows."""
    story = Story(tell=step_told)
    try:
        await run_call(story, carillon)
    except BaseException as error:
        error.add_note(await carillon.logs())
        raise
    assert story.figures["recording"]["sha256_verified"]
    assert story.figures["caller_hears"]["lost"] == 0


async def test_every_container_is_well_and_can_do_little(carillon: Composed) -> None:
    for name in carillon.replicas:
        await carillon.is_healthy(name)
        assert await carillon.execute(name, "id", "-u") == "10001"
        with pytest.raises(PodmanFailed, match="Read-only file system"):
            await carillon.execute(name, "touch", "/opt/here")
        said = await carillon.execute(name, "cat", "/proc/1/status")
        status = dict(line.split(":\t", 1) for line in said.splitlines() if ":\t" in line)
        assert int(status["CapEff"], 16) == 0
        assert status["NoNewPrivs"] == "1"


@pytest.mark.parametrize("target", TARGETS)
async def test_an_image_has_what_it_runs_and_no_tools(podman: Podman, target: str) -> None:
    script = "for p in gcc cc make npm node git; do command -v $p && exit 1; done; exit 0"
    podman.run("run", "--rm", "--network=none", "--entrypoint=sh", name_of(target), "-c", script)
    said = podman.run(
        *("run", "--rm", "--network=none", "--entrypoint=cat", name_of(target)),
        "/usr/share/doc/carillon/sbom.cdx.json",
    )
    listed = {each["name"] for each in json.loads(said)["components"]}
    own = {"services": "starlette", "gateway": "aiortc", "edge": "kamailio"}
    assert {own[target], "libc6", "cpython"} <= listed
    labels = json.loads(podman.run("image", "inspect", name_of(target)))[0]["Labels"]
    assert labels["org.opencontainers.image.revision"] != "unknown"
