"""Steps of a story, each with how long it took; the first that fails ends it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Step:
    """One thing that happened, or did not."""

    who: str
    """Caller, agent or Carillon."""
    what: str
    """In words."""
    ms: float = 0.0
    """How long it took."""
    ok: bool = False
    detail: str = ""
    """What was measured; of a failed step, why."""


class StoryFailed(Exception):
    """A step did not come true; the story says which and why."""


@dataclass(slots=True)
class Story:
    """What happened, in order."""

    tell: Callable[[Step], None]
    """Called with each step when it is over."""
    begin: Callable[[str, str], None] = lambda _who, _what: None
    """Called with who and what when a step begins."""
    say: Callable[[str], None] = lambda _line: None
    """Called with what is worth saying while a step lasts."""
    steps: list[Step] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    """What the story measured beside the steps: tones, levels, identifiers."""

    @contextmanager
    def step(self, who: str, what: str) -> Iterator[Step]:
        """Times what happens inside; an exception fails the step and raises StoryFailed."""
        step = Step(who=who, what=what)
        self.steps.append(step)
        self.begin(who, what)
        started = time.monotonic()
        try:
            yield step
        except asyncio.CancelledError:
            step.detail = "interrupted"
            raise
        except Exception as error:
            step.detail = ": ".join(filter(None, (type(error).__name__, str(error).strip())))
            raise StoryFailed(f"{who}: {what}: {step.detail}") from error
        else:
            step.ok = True
        finally:
            step.ms = round((time.monotonic() - started) * 1_000, 1)
            self.tell(step)

    def as_json(self) -> dict[str, Any]:
        """The whole story for scripts."""
        failed = next((step for step in self.steps if not step.ok), None)
        return {
            "ok": failed is None and bool(self.steps),
            "failed": None if failed is None else f"{failed.who}: {failed.what}",
            "why": None if failed is None else failed.detail,
            "steps": [asdict(step) for step in self.steps],
            **self.figures,
        }
