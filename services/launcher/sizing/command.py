"""What `carillon size` says on a terminal."""

from __future__ import annotations

import re
import sys

from services.launcher.sizing.core import size
from services.launcher.sizing.figures import MEASURED
from services.launcher.sizing.model import BadDemand, Demand
from services.launcher.sizing.values import in_yaml
from services.launcher.sizing.words import in_json, in_words

SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)%")


def share(name: str, said: str) -> float:
    """A share in per cent, such as `60%`, as 0.6; BadDemand."""
    found = SHARE.fullmatch(said.strip())
    if not found:
        raise BadDemand(f"{name}: {said!r} is no share; write it as 60%")
    return float(found[1]) / 100


def tell(demand: Demand, *, as_values: bool, as_json: bool) -> int:
    """Writes what the demand needs; BadDemand."""
    if as_values and as_json:
        raise BadDemand("values: --values and --json exclude each other")
    found = size(demand, MEASURED)
    if as_values:
        sys.stdout.write(in_yaml(found, _command(demand)))
    elif as_json:
        sys.stdout.write(in_json(found))
    else:
        sys.stdout.write(in_words(found, MEASURED))
    return 0


def _command(demand: Demand) -> str:
    """What would ask for the same again."""
    return (
        f"carillon size --calls {demand.calls} --agents {demand.agents}"
        f" --recorded {100 * demand.recorded:g}% --browsers {100 * demand.browsers:g}%"
        f" --waiting {100 * demand.waiting:g}% --minutes {demand.minutes:g}"
        f" --hours {demand.hours:g} --days {demand.days} --largest {100 * demand.largest:g}%"
        f" --spare {demand.spare} --cores {demand.cores} --speed {demand.speed:g} --values"
    )
