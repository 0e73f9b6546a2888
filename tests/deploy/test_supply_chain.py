"""Where everything comes from: pinned, hashed, licensed, listed."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from docker import sbom
from docker.licences import (
    EXCEPTIONS,
    LicenceRefused,
    Licensed,
    check,
    is_allowed,
    licensed,
    page,
)
from docker.supply import (
    IMAGES,
    LICENCES,
    NPM_LOCK,
    ROOT,
    Package,
    debian_packages,
    npm_packages,
    packages_of,
    python_packages,
)

LOCKS = sorted(ROOT.glob("requirements*.lock"))


def test_the_page_of_licences_tells_of_what_is_locked_now() -> None:
    written = (ROOT / LICENCES).read_text()
    assert written == page(licensed()), "the locks have changed: run make licences"


def test_every_licence_is_allowed_or_a_named_exception() -> None:
    odd = {each.package.name for each in licensed() if not is_allowed(each.licence)}
    assert odd == {*EXCEPTIONS}


def test_what_is_not_allowed_is_in_no_image_but_for_the_voice() -> None:
    images = {
        each.package.name: each.used for each in licensed() if each.package.name in EXCEPTIONS
    }
    assert images == {"espeakng-loader": "services", "av": "development"}


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("(Apache-2.0 AND BSD-3-Clause) OR AGPL-3.0-only", True),
        ("AGPL-3.0-or-later", False),
        ("GPL-2.0-only", False),
        ("", False),
        ("Proprietary", False),
    ],
)
def test_an_expression_is_allowed_when_it_leaves_a_way(expression: str, allowed: bool) -> None:
    assert is_allowed(expression) is allowed


@pytest.mark.parametrize("licence", ["GPL-3.0-only", "AGPL-3.0-or-later", ""])
def test_a_package_that_is_not_allowed_is_refused_by_its_name(licence: str) -> None:
    with pytest.raises(LicenceRefused, match=r"bell-ringer 1\.0"):
        check(Licensed(Package("pypi", "bell-ringer", "1.0"), licence, "gateway"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_python_package_is_pinned_and_hashed(lock: Path) -> None:
    packages = python_packages(lock)
    assert packages
    assert [each for each in packages if not each.hashes] == []
    text = lock.read_text()
    assert len(re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE)) == len(packages)
    assert "://" not in text


def test_every_npm_package_is_pinned_and_hashed() -> None:
    packages = npm_packages(ROOT / NPM_LOCK)
    assert packages
    assert [each for each in packages if not each.hashes] == []
    assert {kind for each in packages for kind, _ in each.hashes} == {"SHA-512"}
    said = json.loads((ROOT / NPM_LOCK).with_name("package.json").read_text())
    wanted = [*said["dependencies"].values(), *said["devDependencies"].values()]
    assert [each for each in wanted if not re.fullmatch(r"\d+\.\d+\.\d+", each)] == []


@pytest.mark.parametrize("path", sorted(ROOT.glob(".github/workflows/*")), ids=lambda p: p.name)
def test_every_action_is_pinned_by_its_commit(path: Path) -> None:
    used = re.findall(r"^\s*-?\s*uses: (\S+)(.*)$", path.read_text(), re.MULTILINE)
    assert used
    for action, remark in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v[\d.]+", remark), f"{action} says no version"


@pytest.mark.parametrize("path", sorted(ROOT.glob(".github/workflows/*")), ids=lambda p: p.name)
def test_a_workflow_may_do_no_more_than_it_says(path: Path) -> None:
    said = yaml.safe_load(path.read_text())
    assert said["permissions"] in ({}, {"contents": "read"})
    for name, job in said["jobs"].items():
        assert job["timeout-minutes"], name
        for step in job["steps"]:
            # What others may have written never becomes part of a program.
            assert "${{" not in step.get("run", ""), name


def test_a_release_tries_everything_before_it_publishes() -> None:
    said = yaml.safe_load((ROOT / ".github/workflows/release.yaml").read_text())
    jobs = said["jobs"]
    assert any(step.get("run") == "bash .ci/run" for step in jobs["check"]["steps"])
    assert (jobs["images"]["needs"], jobs["chart"]["needs"]) == ("check", "images")
    steps = jobs["images"]["steps"]
    proved = [step["with"] for step in steps if "attest" in step.get("uses", "")]
    digests = {each["subject-digest"] for each in proved}
    assert digests == {f"${{{{ steps.publish.outputs.{image} }}}}" for image in IMAGES}
    assert {*IMAGES} <= {*jobs["images"]["outputs"]}
    script = (ROOT / "docker" / "publish.sh").read_text()
    assert f"for target in {' '.join(IMAGES)}; do" in script
    for word in ("cosign sign", "cosign attest", "--provenance mode=max", "BASE=$BASE_NAME@$base"):
        assert word in script


def test_a_release_of_another_version_is_refused() -> None:
    done = subprocess.run(
        [ROOT / "docker" / "publish.sh", "version", "v9.8.7"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "the tag is v9.8.7, pyproject.toml says" in done.stderr


@pytest.mark.parametrize("image", IMAGES)
def test_a_bill_lists_every_locked_package_once_and_is_the_same_each_time(image: str) -> None:
    document = sbom.bill(image)
    assert document == sbom.bill(image)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    listed = [each["purl"] for each in document["components"]]
    assert listed == [each.purl for each in packages_of(image)]
    assert len(listed) == len({*listed})
    assert [each["name"] for each in document["components"] if not each.get("licenses")] == []
    references = {each["bom-ref"] for each in document["components"]}
    assert {*document["dependencies"][0]["dependsOn"]} == references


def test_the_bill_of_an_image_lists_what_is_in_it(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text(
        "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\n"
        "Version: 2.36-9+deb12u14\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n"
    )
    assert [each.purl for each in debian_packages(status)] == [
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64&distro=debian-12"
    ]
    (grpc,) = (each for each in packages_of("gateway") if each.name == "grpcio")
    site = tmp_path / "lib" / "python3.12" / "site-packages"
    (site / f"grpcio-{grpc.version}.dist-info").mkdir(parents=True)
    document = sbom.bill("gateway", dpkg=status, libraries=tmp_path)
    assert {each["name"] for each in document["components"]} == {"grpcio", "libc6", "cpython"}
    (site / "stranger-1.0.dist-info").mkdir()
    with pytest.raises(sbom.NotAsLocked, match="stranger"):
        sbom.bill("gateway", libraries=tmp_path)
