"""The chart as tests see it: rendered by the real Helm, and read as documents."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from services.launcher.parts import helm

Document: TypeAlias = dict[str, Any]

HERE = Path(__file__).parent
CHART = HERE.parents[1] / "deploy/helm/carillon"
GIVEN = HERE / "given.yaml"
EVERYTHING = HERE / "given-everything.yaml"
GOLDEN = HERE / "golden"
SIZES = ("dev", "small", "large")
KUBERNETES = ("1.35", "1.36", "1.37")
"""The versions that the Kubernetes project maintains."""
MAJORS = tuple(int(each) for each in os.environ.get("CARILLON_CHART_MAJORS", "4").split(","))
"""Those of Helm. Building one takes minutes, so every change is tried by one, and both by
`make chart-all`."""

CASES: dict[str, tuple[Path, ...]] = {
    **{size: (CHART / f"values-{size}.yaml", GIVEN) for size in SIZES},
    "everything": (EVERYTHING,),
}
"""What is looked at everywhere, by name: files of values."""


@cache
def text(case: str, *, major: int = 4, kubernetes: str = "1.37.0", sets: str = "{}") -> str:
    """A case's manifests; `sets` is JSON of {key: value}, in place of what its files say."""
    settings = {key: json.dumps(value) for key, value in json.loads(sets).items()}
    return helm.render(
        CHART, major=major, values=CASES[case], settings=settings, kubernetes=kubernetes
    )


def documents(case: str, **sets: object) -> list[Document]:
    """A case's manifests as documents, to be read only; `sets` have `__` for a key's dots."""
    changed = {key.replace("__", "."): value for key, value in sets.items()}
    return read(text(case, sets=json.dumps(changed)))


@cache
def read(manifests: str) -> list[Document]:
    """The documents of a YAML text."""
    return [each for each in yaml.load_all(manifests, Loader=yaml.CSafeLoader) if each]


def of_kind(found: list[Document], *kinds: str) -> list[Document]:
    """Those of some kinds."""
    return [each for each in found if each["kind"] in kinds]


def named(found: list[Document], kind: str, name: str) -> Document:
    """The one of that kind and name."""
    [one] = [each for each in of_kind(found, kind) if each["metadata"]["name"] == name]
    return one


def title(document: Document) -> str:
    """What a failing test calls it."""
    return f"{document['kind']} {document['metadata']['name']}"


def pods(found: list[Document]) -> Iterator[tuple[str, Document]]:
    """Every pod's title and spec."""
    for each in of_kind(found, "Deployment", "StatefulSet", "Job"):
        yield title(each), each["spec"]["template"]["spec"]


def containers(found: list[Document]) -> Iterator[tuple[str, Document]]:
    """Every container's title and self."""
    for where, pod in pods(found):
        for each in (*pod.get("initContainers", ()), *pod["containers"]):
            yield f"{where}: {each['name']}", each
