"""`make demo`: places one real call and narrates it. Exit status 0, or 1 when a step failed."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tests.demo.call import run_call
from tests.demo.story import Step, Story, StoryFailed

ROOT = Path(__file__).resolve().parents[2]
COLOURS = {"caller": "cyan", "agent": "green", "Carillon": "magenta"}


def main(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the story as JSON, for scripts.")
    ] = False,
) -> None:
    """Places a real call over SIP from a menu to an agent, and tells it as it happens."""
    var = ROOT / "var" / "demo"
    shutil.rmtree(var / "log", ignore_errors=True)
    console = Console(stderr=as_json)
    began = time.monotonic()
    story = Story(tell=lambda step: _narrate(console, step, began), begin=_nothing)
    failure = ""
    try:
        asyncio.run(run_call(story, var))
    except StoryFailed as error:
        failure = str(error)
    story.figures["seconds"] = round(time.monotonic() - began, 1)
    if as_json:
        sys.stdout.write(json.dumps(story.as_json(), indent=2) + "\n")
    else:
        _summarise(console, story)
    if failure:
        logs = (var / "log").relative_to(ROOT)
        console.print(f"\n[bold red]Failed:[/] {failure}\nThe logs are in {logs}.", highlight=False)
        raise typer.Exit(1)


def _nothing(_who: str, _what: str) -> None:
    """The terminal shows a step when it is over."""


def _narrate(console: Console, step: Step, began: float) -> None:
    clock = f"{time.monotonic() - began:6.1f} s"
    colour = COLOURS.get(step.who, "white")
    mark = "[green]✓[/]" if step.ok else "[red]✗[/]"
    console.print(
        f"[dim]{clock}[/] {mark} [{colour}]{step.who:<8}[/] {step.what}  [dim]{step.ms:.0f} ms[/]",
        highlight=False,
    )
    if step.detail:
        console.print(f"{'':>20}[dim]{step.detail}[/]", highlight=False, markup=True)


def _summarise(console: Console, story: Story) -> None:
    table = Table(title="The call", title_justify="left", show_edge=False, pad_edge=False)
    table.add_column("Who", no_wrap=True)
    table.add_column("What")
    table.add_column("ms", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for step in story.steps:
        table.add_row(step.who, step.what, f"{step.ms:.0f}", "ok" if step.ok else "[red]failed[/]")
    console.print()
    console.print(table)
    if story.as_json()["ok"]:
        caller, agent = story.figures["caller_hears"], story.figures["agent_hears"]
        console.print(
            f"\nBoth heard each other: the caller {caller['freq_hz']} Hz at "
            f"{caller['level_dbm0']} dBm0, the agent {agent['freq_hz']} Hz at "
            f"{agent['level_dbm0']} dBm0. {story.figures['seconds']} s in all.",
            highlight=False,
        )


if __name__ == "__main__":
    typer.run(main)
