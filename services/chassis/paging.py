"""Lists by the page: a token names the last row shown, so rows that come and go skip nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import ClassVar, TypeVar

from protos.common.v1 import common_pb2
from services.chassis.errors import CarillonError, Kind

T = TypeVar("T")

DEFAULT_PAGE = 100
MAX_PAGE = 500


class BadPage(CarillonError):
    """A page of more than 500 rows was asked for."""

    code: ClassVar[str] = "bad-page"
    kind: ClassVar[Kind] = Kind.INVALID


def page_size(page: common_pb2.PageRequest) -> int:
    """Rows of the page asked for; BadPage."""
    if page.size > MAX_PAGE:
        raise BadPage(f"{page.size} rows, at most {MAX_PAGE}")
    return page.size or DEFAULT_PAGE


def page_of(
    rows: Sequence[T], page: common_pb2.PageRequest, *, key: Callable[[T], str]
) -> tuple[list[T], common_pb2.PageResponse]:
    """One page of rows that are sorted by their key; BadPage."""
    size = page_size(page)
    found = list(islice((row for row in rows if key(row) > page.token), size + 1))
    token = key(found[size - 1]) if len(found) > size else ""
    return found[:size], common_pb2.PageResponse(next_token=token)
