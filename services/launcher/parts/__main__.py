"""Makes servers and programs that are not ours ready: `python -m services.launcher.parts kafka`.

Without names, all that every change is tried on. Nothing is done, and nothing said, for what is
there already. Status 1 when one is missing or cannot be built, with a sentence that says what to
do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from services.launcher.parts import helm, kafka, minio, turn
from services.launcher.parts.daemon import PartFailed, PartMissing

PARTS: dict[str, Callable[[], Path]] = {
    "helm3": lambda: helm.ready(3),
    "helm4": lambda: helm.ready(4),
    "kafka": kafka.libraries,
    "minio": minio.ready,
    "turn": turn.ready,
}
"""By name: what makes a part ready, and returns where it is."""
USUAL = tuple(name for name in PARTS if name != "helm3")
"""Those for every change; Helm's older major only tries the chart a second time."""


def main(names: list[str]) -> int:
    """Makes the named parts ready; the exit status."""
    unknown = sorted(set(names) - set(PARTS))
    if unknown:
        sys.stderr.write(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}\n")
        return 2
    failed = False
    for name in names or USUAL:
        try:
            PARTS[name]()
        except (PartMissing, PartFailed) as error:
            sys.stderr.write(f"{error}\n")
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
