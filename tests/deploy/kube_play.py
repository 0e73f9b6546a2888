"""`make test-kube`: the demo's call through the pods that the Helm chart renders.

It runs in a network namespace of its own (the make target makes it): `podman kube play` runs the
chart's Deployments, its StatefulSets' and its hook's pods on a bridge there; callers, agents and
the servers that are not ours are beside it. tests/stage/kubelet.py says what podman does not.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from docker.podman import Podman, PodmanFailed
from tests.demo.call import run_call
from tests.demo.story import Step, Story
from tests.stage.kubelet import probes_of
from tests.stage.played import Played

# Ten containers and three servers start on as many cores as there are.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def carillon(podman: Podman, var: Path) -> AsyncIterator[Played]:
    played = Played(var, podman, tell)
    yield played
    running = list(played.names)
    await played.stop()
    # Whoever was told to end ended by itself, and said that all was well.
    assert played.statuses == dict.fromkeys(running, 0)


def tell(line: str) -> None:
    sys.stderr.write(f"  · {line}\n")


def step_told(step: Step) -> None:
    tell(f"{step.who} {step.what}: {step.detail} ({step.ms:.0f} ms)")


async def test_a_call_goes_through_the_rendered_pods(carillon: Played) -> None:
    """Menu, voice, queue, browser, recording under a lock, figures: all that `make demo` shows."""
    story = Story(tell=step_told)
    try:
        await run_call(story, carillon)
    except BaseException as error:
        error.add_note(await carillon.logs())
        raise
    assert story.figures["recording"]["sha256_verified"]
    assert story.figures["caller_hears"]["lost"] == 0


async def test_every_probe_as_rendered_passes(carillon: Played) -> None:
    asked = set()
    for pod in carillon.pods:
        await carillon.is_ready(pod)
        asked |= {(pod.component, probe.container, probe.kind) for probe in probes_of(pod)}
    kinds = ("livenessProbe", "readinessProbe", "startupProbe")
    containers = {(pod.component, each) for pod in carillon.pods for each in pod.containers}
    assert asked == {(*each, kind) for each in containers for kind in kinds}


async def test_every_container_may_as_little_as_the_chart_says(carillon: Played) -> None:
    for name in carillon.names:
        assert await carillon.execute(name, "id", "-u") == "10001"
        with pytest.raises(PodmanFailed, match="Read-only file system"):
            await carillon.execute(name, "touch", "/opt/here")
        said = await carillon.execute(name, "cat", "/proc/1/status")
        status = dict(line.split(":\t", 1) for line in said.splitlines() if ":\t" in line)
        assert int(status["CapEff"], 16) == 0
        assert int(status["CapBnd"], 16) == 0
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2"
        assert (await carillon.inspected(name))["HostConfig"]["Memory"] > 0
