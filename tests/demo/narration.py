"""The story on a terminal: what is under way, what came true, and what did not."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from tests.demo.story import Step, Story

COLOURS = {"caller": "cyan", "agent": "green", "supervisor": "yellow", "Carillon": "magenta"}
WIDTH = max(map(len, COLOURS))


class Narration:
    """Writes a line for each step that is over; on a terminal also what is being waited for."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began_s = time.monotonic()
        self._waiting: Status | None = None

    def begin(self, who: str, what: str) -> None:
        """A step begins."""
        if self._console.is_terminal:
            self._waiting = self._console.status(f"[dim]{escape(f'{who} {what}')}[/]")
            self._waiting.start()

    def say(self, line: str) -> None:
        """Something on the way."""
        self._print(f"{self._clock()} [dim]· {escape(line.strip())}[/]")

    def tell(self, step: Step) -> None:
        """A step is over."""
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None
        mark = "[green]✓[/]" if step.ok else "[red]✗[/]"
        who = f"[{COLOURS.get(step.who, 'white')}]{step.who:<{WIDTH}}[/]"
        self._print(f"{self._clock()} {mark} {who} {escape(step.what)}  [dim]{step.ms:.0f} ms[/]")
        if step.ok and step.detail:
            self._print(f"{'':>{12 + WIDTH}}[dim]{escape(step.detail)}[/]")

    def summarise(self, story: Story, *, keep: str) -> None:
        """All steps with their times, and what to do next: `keep` is the command that stays up."""
        table = Table(title="The call", title_justify="left", show_edge=False, pad_edge=False)
        table.add_column("Who", no_wrap=True)
        table.add_column("What")
        table.add_column("ms", justify="right", no_wrap=True)
        for step in story.steps:
            table.add_row(step.who, escape(step.what), f"{step.ms:.0f}")
        self._console.print()
        self._console.print(table)
        caller, agent = story.figures["caller_hears"], story.figures["agent_hears"]
        self._print(
            f"\nBoth heard each other: the caller {caller['freq_hz']} Hz at "
            f"{caller['level_dbm0']} dBm0, the agent {agent['freq_hz']} Hz at "
            f"{agent['level_dbm0']} dBm0. {story.figures['seconds']} s in all; "
            "everything is stopped again."
            f"\nTo log in yourself and take calls, run [bold]{keep}[/]."
        )

    def failed(self, story: Story, logs: Path | None) -> None:
        """Which step did not come true, why, and where to look."""
        told = story.as_json()
        where = f" The logs are in {logs}." if logs else ""
        self._print(
            f"\n[bold red]Failed:[/] {escape(str(told['failed']))}"
            f"\n{escape(str(told['why']))}"
            f"\nEverything is stopped again.{where}"
        )

    def interrupted(self) -> None:
        """Somebody had enough of it."""
        self._print("\nInterrupted. Everything is stopped again.")

    def _clock(self) -> str:
        return f"[dim]{time.monotonic() - self._began_s:6.1f} s[/]"

    def _print(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)
