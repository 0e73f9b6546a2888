"""`make call`: a softphone calls the number of the call centre that `make up` keeps running.

What is given after it goes to the phone: `make call ARGS="--user +12025550123 --dtmf 2"`; but
`--var` names the folder of another installation than the usual one.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from services.launcher.folder import present
from tests.softphone.__main__ import main as softphone

VAR = Path(__file__).resolve().parents[2] / "var" / "up"
USUAL = ("--user", "+12025550147", "--display", "Carol Caller")
PRESSES = ("--dtmf", "1", "--after", "6")
TALKS = ("--tone", "440", "--seconds", "120")


def main(arguments: list[str]) -> int:
    """Places the call; 1 when nothing is up, else the softphone's exit status."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--var", type=Path, default=VAR)
    own, of_the_phone = parser.parse_known_args(arguments)
    said = present(own.var)
    if said is None:
        sys.stderr.write("Carillon is not up. Run `make up` in another terminal, then this.\n")
        return 1
    given = [*USUAL, *PRESSES, *TALKS, *of_the_phone]
    return softphone(["call", f"sip:{said['number']}@{said['sip']}", *given])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
