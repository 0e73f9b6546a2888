"""Generates the Python stubs beside the protos: `make protos`, or `--check` to compare only."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from google.api import annotations_pb2
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
OUTPUTS = ("--python_out", "--grpc_python_out", "--mypy_out", "--mypy_grpc_out")
INCLUDED = Path(protoc.__file__).resolve().parent / "_proto"
# google/api: how an RPC is reached over HTTP.
SHARED = Path(annotations_pb2.__file__).resolve().parent.parent.parent


def sources() -> list[str]:
    """Every proto of the repository, as paths from its root."""
    return sorted(str(path.relative_to(ROOT)) for path in (ROOT / "protos").glob("*/v1/*.proto"))


def generate(into: Path) -> None:
    """Writes all stubs below `into`; raises RuntimeError when the compiler refuses a proto."""
    # The mypy plugins are scripts beside the interpreter, which need not be on PATH.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    options = [f"{output}={into}" for output in OUTPUTS]
    folders = [f"-I{folder}" for folder in (ROOT, INCLUDED, SHARED)]
    code = protoc.main(["protoc", *folders, *options, *sources()])
    if code != 0:
        raise RuntimeError(f"protoc ended with {code}")


def stale(fresh: Path) -> list[str]:
    """Paths of stubs that are missing, differ from `fresh`, or no longer have a proto."""
    wanted = {path.relative_to(fresh): path.read_bytes() for path in fresh.rglob("*_pb2*")}
    present = {
        path.relative_to(ROOT): path.read_bytes() for path in (ROOT / "protos").rglob("*_pb2*.py*")
    }
    present = {path: text for path, text in present.items() if path.suffix in {".py", ".pyi"}}
    return sorted(
        str(path)
        for path in wanted.keys() | present.keys()
        if wanted.get(path) != present.get(path)
    )


def main() -> int:
    """Generates, or with `--check` says which stubs are out of date; 1 when any is."""
    if "--check" not in sys.argv[1:]:
        generate(ROOT)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        paths = stale(Path(folder))
    for path in paths:
        sys.stderr.write(f"out of date: {path} (run `make protos`)\n")
    return 1 if paths else 0


if __name__ == "__main__":
    sys.exit(main())
