"""The application's files as portal answers them."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response

from services.portal.pages import ALWAYS_ASK, FOREVER, Pages

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    root = tmp_path / "dist"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html>")
    (root / "index.html.br").write_bytes(b"br")
    (root / "bell.svg").write_text("<svg/>")
    (root / "assets" / "index-abc.js").write_text("1")
    (root / "assets" / "index-abc.js.br").write_bytes(b"br")
    (root / "assets" / "index-abc.js.gz").write_bytes(b"gz")
    (tmp_path / "secrets.json").write_text("{}")
    return root


def answer(root: Path, path: str, **headers: str) -> Response | None:
    return Pages(root).find(path, Headers({k.replace("_", "-"): v for k, v in headers.items()}))


def file_of(response: Response | None) -> str:
    assert isinstance(response, FileResponse)
    return Path(response.path).name


@pytest.mark.parametrize("path", ["/", "/floor", "/admin/users", "/recordings/0193", "/index.html"])
def test_every_address_of_the_application_is_its_document(built: Path, path: str) -> None:
    response = answer(built, path, **HTML)
    assert file_of(response) == "index.html"
    assert response is not None
    assert response.headers["cache-control"] == ALWAYS_ASK


@pytest.mark.parametrize("path", ["/v1/queues", "/v1/nothing"])
def test_the_api_is_never_hidden_behind_the_document(built: Path, path: str) -> None:
    assert answer(built, path, **HTML) is None


def test_a_program_that_asks_for_a_path_that_is_not_there_is_not_given_a_page(built: Path) -> None:
    assert answer(built, "/nothing", accept="application/json") is None


def test_files_named_by_their_content_are_kept_for_good(built: Path) -> None:
    response = answer(built, "/assets/index-abc.js")
    assert file_of(response) == "index-abc.js"
    assert response is not None
    assert response.headers["cache-control"] == FOREVER
    assert response.media_type in {"text/javascript", "application/javascript"}


def test_others_are_asked_for_each_time(built: Path) -> None:
    response = answer(built, "/bell.svg")
    assert response is not None
    assert response.headers["cache-control"] == ALWAYS_ASK
    assert response.media_type == "image/svg+xml"


@pytest.mark.parametrize(
    ("accepted", "file", "encoding"),
    [
        ("gzip, deflate, br", "index-abc.js.br", "br"),
        ("gzip;q=1.0", "index-abc.js.gz", "gzip"),
        ("br;q=0, gzip", "index-abc.js.gz", "gzip"),
        ("identity", "index-abc.js", None),
    ],
)
def test_the_smallest_form_that_the_browser_reads_is_sent(
    built: Path, accepted: str, file: str, encoding: str | None
) -> None:
    response = answer(built, "/assets/index-abc.js", accept_encoding=accepted)
    assert file_of(response) == file
    assert response is not None
    assert response.headers.get("content-encoding") == encoding
    assert "accept-encoding" in response.headers["vary"]
    assert response.media_type in {"text/javascript", "application/javascript"}


@pytest.mark.parametrize(
    "path", ["/../secrets.json", "/assets/../../secrets.json", "/assets/index-abc.js.br"]
)
def test_nothing_else_is_reached(built: Path, path: str) -> None:
    assert answer(built, path) is None


def test_pages_that_were_not_built_say_what_to_do(tmp_path: Path) -> None:
    response = answer(tmp_path / "nothing", "/floor", **HTML)
    assert response is not None
    assert b"make web" in response.body
    assert answer(tmp_path / "nothing", "/assets/index-abc.js") is None
