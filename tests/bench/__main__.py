"""All benchmarks, one after another: `python -m tests.bench [--json] [name ...]`.

Each prints ratios against a reference that it measures in the same run: absolute times on a shared
machine say little. Exit status 1 when one could not run. Long ones run only when they are named.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIMIT_S = 300
LONG_S = {"soak": 1_000}
"""Limits of those that take longer than all others together."""


def main() -> int:
    names = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    options = [argument for argument in sys.argv[1:] if argument.startswith("-")]
    known = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    unknown = sorted(set(names) - set(known))
    if unknown:
        sys.stderr.write(f"no benchmark {', '.join(unknown)}; there are {', '.join(known)}\n")
        return 2
    failed = []
    for name in names or [each for each in known if each not in LONG_S]:
        sys.stdout.write(f"== {name}\n")
        sys.stdout.flush()
        command = [sys.executable, "-m", f"tests.bench.bench_{name}", *options]
        limit_s = LONG_S.get(name, LIMIT_S)
        if subprocess.run(command, cwd=HERE.parents[1], check=False, timeout=limit_s).returncode:
            failed.append(name)
    if failed:
        sys.stderr.write(f"could not run: {', '.join(failed)}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
