"""Helm, which renders the chart: both majors that are in use, each at one version."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final

from services.chassis.errors import CarillonError, Kind
from services.launcher.parts import golang
from services.launcher.parts.daemon import PartMissing

VERSIONS: Final = {3: "v3.22.0", 4: "v4.3.1"}
"""By major."""
OLDEST_GO: Final = (1, 26)
RENDER_TIMEOUT_S: Final = 60.0


class ChartRefused(CarillonError):
    """Helm does not render the chart with these values; the text says why."""

    code: ClassVar[str] = "chart-refused"
    kind: ClassVar[Kind] = Kind.INVALID


def ready(major: int = 4) -> Path:
    """Helm's program: CARILLON_HELM3 or CARILLON_HELM4, or the one that Go built.

    PartMissing, PartFailed. It blocks, for minutes the first time.
    """
    variable = f"CARILLON_HELM{major}"
    named = os.environ.get(variable)
    if named:
        if not os.access(named, os.X_OK):
            raise PartMissing(f"{variable} names {named}, which is no program")
        return Path(named)
    return golang.built(
        "helm",
        f"helm.sh/helm/v{major}/cmd/helm",
        VERSIONS[major],
        oldest_go=OLDEST_GO,
        wants=f"Helm {major} renders the chart; name a program of it: {variable}=/path/to/helm.",
    )


def render(
    chart: Path,
    *,
    major: int = 4,
    release: str = "carillon",
    namespace: str = "calls",
    values: Sequence[Path] = (),
    settings: Mapping[str, str] | None = None,
    kubernetes: str = "1.37.0",
    upgrade: bool = False,
) -> str:
    """All manifests as one YAML text. ChartRefused.

    `values` are files, the later wins; `settings` are `--set-json`'s, by key.
    """
    sets = [f"--set-json={key}={value}" for key, value in (settings or {}).items()]
    files = [f"--values={path}" for path in values]
    return run(
        major,
        "template",
        release,
        str(chart),
        f"--namespace={namespace}",
        f"--kube-version={kubernetes}",
        *(["--is-upgrade"] if upgrade else []),
        *files,
        *sets,
    )


def notes(chart: Path, *, major: int = 4, values: Sequence[Path] = ()) -> str:
    """What whoever installs the chart is told. ChartRefused."""
    files = [f"--values={path}" for path in values]
    # Only a dry run shows them; as a client alone it asks no cluster.
    told = run(
        major,
        "install",
        "carillon",
        str(chart),
        "--namespace=calls",
        "--dry-run=client",
        *files,
    )
    _, _, said = told.partition("\nNOTES:\n")
    return said


def run(major: int, *arguments: str) -> str:
    """What Helm writes to its standard output; ChartRefused with what it writes to the other."""
    with tempfile.TemporaryDirectory() as home:
        # Neither the user's repositories nor a cluster that kubectl would reach.
        done = subprocess.run(  # noqa: S603 (Helm itself, and no shell)
            (str(ready(major)), *arguments),
            env={
                "PATH": os.environ.get("PATH", ""),
                "HOME": home,
                "HELM_NO_PLUGINS": "1",
                "KUBECONFIG": f"{home}/none",
            },
            capture_output=True,
            text=True,
            timeout=RENDER_TIMEOUT_S,
            check=False,
        )
    if done.returncode:
        raise ChartRefused(done.stderr.strip())
    return done.stdout
