"""What Carillon is made of besides its own code: the packages that its locks name."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[1]
NPM_LOCK = Path("services/portal/web/package-lock.json")
LICENCES = Path("docs/licences.md")
IMAGES = {
    "services": ("requirements-services.lock", NPM_LOCK.name),
    "gateway": ("requirements-gateway.lock",),
    "edge": (),
}
"""Image → the locks that it is made of; of the edge, Debian's packages are all."""

Kind = Literal["pypi", "npm", "deb"]

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[\w,-]+\])?==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """One package in one version."""

    kind: Kind
    """Whose registry it is from."""
    name: str
    """As that registry writes it."""
    version: str
    """Exactly."""
    hashes: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    """Algorithm and hexadecimal digest of each file that may be taken for it."""
    licence: str = field(default="", compare=False)
    """As an SPDX expression, where the lock says it."""
    development: bool = field(default=False, compare=False)
    """Whether only building and testing need it."""
    architecture: str = field(default="", compare=False)
    """Of Debian's packages."""

    @property
    def purl(self) -> str:
        """Its name for all tools: package-url."""
        if self.kind == "deb":
            suffix = f"?arch={self.architecture}&distro=debian-12"
            return f"pkg:deb/debian/{self.name}@{_quoted(self.version)}{suffix}"
        if self.kind == "npm":
            name = self.name.replace("@", "%40", 1) if self.name.startswith("@") else self.name
            return f"pkg:npm/{name}@{self.version}"
        return f"pkg:pypi/{self.name}@{self.version}"


def python_packages(lock: Path, *, runs: frozenset[str] | None = None) -> tuple[Package, ...]:
    """What a lock of uv pins; those outside of `runs`, by name, are for development only."""
    found: list[Package] = []
    for entry in re.split(r"\n(?=[A-Za-z0-9])", lock.read_text()):
        pin = _PIN.match(entry)
        if pin is None:
            continue
        found.append(
            Package(
                kind="pypi",
                name=pin["name"].lower(),
                version=pin["version"],
                hashes=tuple(("SHA-256", each) for each in _HASH.findall(entry)),
                development=runs is not None and pin["name"].lower() not in runs,
            )
        )
    return tuple(found)


def npm_packages(lock: Path) -> tuple[Package, ...]:
    """What a package-lock.json pins; where a package lies twice in one version, once."""
    found: dict[Package, Package] = {}
    for place, entry in json.loads(lock.read_text())["packages"].items():
        if not place:
            continue
        package = Package(
            kind="npm",
            name=place.rsplit("node_modules/", 1)[1],
            version=entry["version"],
            hashes=_integrity(entry.get("integrity", "")),
            licence=entry.get("license", ""),
            development=bool(entry.get("dev")),
        )
        known = found.get(package)
        if known is None or known.development:
            found[package] = package
    return tuple(found.values())


def debian_packages(status: Path) -> tuple[Package, ...]:
    """What dpkg's status file says is installed."""
    found: list[Package] = []
    for paragraph in status.read_text().split("\n\n"):
        said = dict(
            re.findall(r"^(Package|Version|Architecture|Status): (.+)$", paragraph, re.MULTILINE)
        )
        if said.get("Status") == "install ok installed":
            found.append(
                Package(
                    kind="deb",
                    name=said["Package"],
                    version=said["Version"],
                    architecture=said["Architecture"],
                )
            )
    return tuple(found)


def packages_of(image: str, root: Path = ROOT) -> tuple[Package, ...]:
    """Of an image's locks: what runs in it, or in the browsers that it serves."""
    found: list[Package] = []
    for lock in IMAGES[image]:
        if lock == NPM_LOCK.name:
            found += (each for each in npm_packages(root / NPM_LOCK) if not each.development)
        else:
            found += python_packages(root / lock)
    return tuple(sorted(found))


def written_licences(page: Path) -> dict[tuple[str, str], str]:
    """The licences in docs/licences.md: registry and name → SPDX expression."""
    rows = re.findall(
        r"^\| (pypi|npm) \| `([^`]+)` \| [^|]+ \| ([^|]+) \|", page.read_text(), re.MULTILINE
    )
    return {(kind, name): licence for kind, name, licence in rows}


def names(packages: Iterable[Package]) -> frozenset[str]:
    """Of those packages."""
    return frozenset(each.name for each in packages)


def _integrity(text: str) -> tuple[tuple[str, str], ...]:
    """Subresource Integrity (sha512-…) as algorithm and hexadecimal digest."""
    algorithm, dash, digest = text.partition("-")
    if not dash:
        return ()
    return ((algorithm.upper().replace("SHA", "SHA-"), base64.b64decode(digest).hex()),)


def _quoted(version: str) -> str:
    return version.replace("+", "%2B").replace(":", "%3A")
