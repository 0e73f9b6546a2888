"""The software bill of materials: what is in an image, in CycloneDX 1.6.

`python -m docker.sbom services --out sbom.cdx.json` lists what the locks name. In an image's build
it says what is there: of Python's packages those that were installed, the interpreter itself, and
Debian's packages. The same content gives the same bytes.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
import tomllib
import uuid
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from docker.supply import (
    IMAGES,
    LICENCES,
    ROOT,
    Package,
    debian_packages,
    packages_of,
    written_licences,
)


class NotAsLocked(Exception):
    """What is installed is not what the locks name: build the image again from its locks."""


def bill(
    image: str, *, root: Path = ROOT, dpkg: Path | None = None, libraries: Path | None = None
) -> dict[str, Any]:
    """The document; NotAsLocked when `libraries`, the image's, are not what its locks name."""
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    licences = written_licences(root / LICENCES)
    packages = packages_of(image, root)
    if libraries is not None:
        packages = installed(packages, libraries)
    if dpkg is not None:
        packages += debian_packages(dpkg)
    components = [_component(each, licences) for each in packages]
    if dpkg is not None:
        components.append(_interpreter(platform.python_version()))
    own = {
        "type": "container",
        "bom-ref": f"carillon-{image}",
        "name": f"carillon-{image}",
        "version": version,
        "licenses": [{"expression": "Apache-2.0"}],
    }
    content = json.dumps([own, components], sort_keys=True).encode()
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        # The same content has the same number: nothing in it depends on when it was made.
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=sha256(content).digest()[:16], version=4)}",
        "version": 1,
        "metadata": {"component": own},
        "components": components,
        "dependencies": [
            {"ref": own["bom-ref"], "dependsOn": [each["bom-ref"] for each in components]}
        ],
    }


def installed(packages: tuple[Package, ...], libraries: Path) -> tuple[Package, ...]:
    """Those that a virtual environment has: a lock also names what other systems need."""
    folders = libraries.glob("lib/python3*/site-packages/*.dist-info")
    there = {
        (_normal(name), version)
        for name, _, version in (
            each.name.removesuffix(".dist-info").partition("-") for each in folders
        )
    }
    kept = tuple(
        each
        for each in packages
        if each.kind != "pypi" or (_normal(each.name), each.version) in there
    )
    unknown = there - {(_normal(each.name), each.version) for each in kept}
    if unknown or not there:
        raise NotAsLocked(f"{libraries} has what no lock names: {sorted(unknown)}")
    return kept


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _component(package: Package, licences: dict[tuple[str, str], str]) -> dict[str, Any]:
    licence = package.licence or licences.get((package.kind, package.name), "")
    made: dict[str, Any] = {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
    }
    if licence:
        made["licenses"] = [{"expression": licence}]
    # One hash stands for the component; several are those of its files for several machines.
    if len(package.hashes) == 1:
        made["hashes"] = [_hash(*package.hashes[0])]
    elif package.hashes:
        made["externalReferences"] = [
            {
                "type": "distribution",
                "url": package.purl,
                "hashes": [_hash(*each) for each in package.hashes],
            }
        ]
    return made


def _hash(algorithm: str, digest: str) -> dict[str, str]:
    return {"alg": algorithm, "content": digest}


def _interpreter(version: str) -> dict[str, Any]:
    purl = f"pkg:generic/cpython@{version}"
    return {
        "type": "platform",
        "bom-ref": purl,
        "name": "cpython",
        "version": version,
        "purl": purl,
        "licenses": [{"expression": "Python-2.0"}],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes one image's bill."""
    parser = argparse.ArgumentParser(prog="docker.sbom", description=__doc__)
    parser.add_argument("image", choices=sorted(IMAGES))
    parser.add_argument("--dpkg", type=Path, help="dpkg's status file in the image")
    parser.add_argument("--libraries", type=Path, help="the virtual environment in the image")
    parser.add_argument("--out", type=Path, help="the file to write (standard output)")
    options = parser.parse_args(arguments)
    document = bill(options.image, dpkg=options.dpkg, libraries=options.libraries)
    text = json.dumps(document, indent=1) + "\n"
    if options.out is None:
        sys.stdout.write(text)
    else:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
