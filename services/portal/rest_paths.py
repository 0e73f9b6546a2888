"""From a method and a path to the RPC that they mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from services.portal.access import Binding, Exposed
from services.portal.problem import BadRequest

_FIELD = re.compile(r"\{([a-z_.]+)\}")


@dataclass(frozen=True, slots=True)
class Found:
    """An RPC that was asked for over HTTP."""

    exposed: Exposed
    """Which."""
    binding: Binding
    """By which of its ways."""
    values: Mapping[str, str]
    """What the path says of its fields."""


@dataclass(frozen=True, slots=True)
class OtherVerbs:
    """The path is known, but not by this method."""

    allow: tuple[str, ...]
    """Those by which it is."""


@dataclass(frozen=True, slots=True)
class _Route:
    pattern: re.Pattern[str]
    fields: tuple[str, ...]
    by_verb: dict[str, tuple[Exposed, Binding]]


class Paths:
    """All paths of REST; ValueError when two RPCs claim the same one."""

    def __init__(self, registry: Iterable[Exposed]) -> None:
        routes: dict[str, _Route] = {}
        for exposed in registry:
            for binding in exposed.bindings:
                pattern = _pattern(binding.template)
                route = routes.setdefault(
                    pattern, _Route(re.compile(pattern), binding.path_fields, {})
                )
                if binding.verb in route.by_verb:
                    raise ValueError(f"{binding.verb} {binding.template} is claimed twice")
                route.by_verb[binding.verb] = exposed, binding
        self._routes = tuple(routes.values())

    def find(self, verb: str, raw_path: str) -> Found | OtherVerbs | None:
        """What a path, still percent-encoded, means; None: nothing. HEAD asks as GET does."""
        verb = "GET" if verb == "HEAD" else verb
        allow: list[str] = []
        for route in self._routes:
            match = route.pattern.fullmatch(raw_path)
            if match is None:
                continue
            if verb in route.by_verb:
                exposed, binding = route.by_verb[verb]
                pairs = zip(binding.path_fields, match.groups(), strict=True)
                values = {field: _decoded(value, field) for field, value in pairs}
                return Found(exposed=exposed, binding=binding, values=values)
            allow += route.by_verb
        if not allow:
            return None
        return OtherVerbs(tuple(sorted({*allow, *(("HEAD",) if "GET" in allow else ())})))


def _pattern(template: str) -> str:
    """A value ends at a slash or a colon: a colon that belongs to it comes percent-encoded."""
    parts = _FIELD.split(template)
    literals = [re.escape(literal) for literal in parts[::2]]
    return "([^/:]+)".join(literals)


def _decoded(value: str, field: str) -> str:
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise BadRequest("the path is not UTF-8", field=field) from None
