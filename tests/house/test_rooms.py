"""The rooms keep to their walls."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from protos import generate
from tests.house.tree import ROOT, SERVICES, pure_files

IMPURE = {
    "asyncio",
    "time",
    "random",
    "secrets",
    "logging",
    "structlog",
    "socket",
    "subprocess",
    "threading",
    "grpc",
    "google",
    "protos",
}


def imported_roots(tree: ast.AST) -> set[str]:
    roots = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            roots.add(node.module.split(".")[0])
    return roots


def test_there_are_pure_rooms() -> None:
    assert len(pure_files()) > 20


@pytest.mark.parametrize("path", pure_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_pure_file_neither_waits_nor_reaches_outside(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert not imported_roots(tree) & IMPURE
    waiting = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, waiting)]


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_shape(service: str) -> None:
    room = ROOT / "services" / service
    assert (room / "model.py").is_file() or (room / "model" / "__init__.py").is_file()
    assert (room / "core").is_dir()
    assert (room / "rpc.py").is_file()
    assert "def build(world: World) -> Service" in (room / "main.py").read_text()
    assert (ROOT / "protos" / service / "v1" / f"{service}.proto").is_file()


def test_every_folder_of_services_is_known_to_these_tests() -> None:
    folders = {path.parent.name for path in (ROOT / "services").glob("*/main.py")}
    assert folders == set(SERVICES)


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root}:{root / 'media-gateway'}", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the tree in which a wall may be broken."""
    for folder in ("services", "media-gateway", "protos", "tests"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


BREACHES = {
    "a core that waits": ("services/acd/core/breach.py", "import asyncio", "pure rooms"),
    "a core that logs": (
        "services/ivr/core/breach.py",
        "from services.chassis.log import get_logger",
        "pure rooms",
    ),
    "a model that knows the wire": (
        "services/acd/model/breach.py",
        "from protos.acd.v1 import acd_pb2",
        "only faces",
    ),
    "a service that knows another": (
        "services/ivr/core/breach.py",
        "from services.acd import model",
        "launcher",
    ),
    "a core that knows its face": (
        "services/acd/core/breach.py",
        "from services.acd import rpc",
        "inside acd",
    ),
    "a chassis that knows a service": (
        "services/chassis/breach.py",
        "import services.acd.model",
        "launcher",
    ),
    "a gateway that knows a service": (
        "media-gateway/media_gateway/breach.py",
        "import services.ivr.model",
        "the gateway knows",
    ),
    "a softphone that knows the product": (
        "tests/softphone/breach.py",
        "from media_gateway import model",
        "the softphone judges",
    ),
    "a product that knows its tests": (
        "services/chassis/breach.py",
        "import tests.softphone.rtp",
        "services know no gateway",
    ),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_forbidden_import_is_caught(copy: Path, breach: str) -> None:
    path, line, contract = BREACHES[breach]
    (copy / path).write_text(f"{line}\n")
    result = lint_imports(copy)
    assert result.returncode == 1, result.stdout
    broken = [row for row in result.stdout.splitlines() if row.endswith("BROKEN")]
    assert any(row.startswith(contract) for row in broken), result.stdout


def test_the_tree_as_it_is_keeps_every_contract(copy: Path) -> None:
    result = lint_imports(copy)
    assert result.returncode == 0, result.stdout


def test_stubs_are_current(tmp_path: Path) -> None:
    generate.generate(tmp_path)
    assert generate.stale(tmp_path) == []
