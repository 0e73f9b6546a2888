"""Settings from the environment, refused at start with the variable's name when wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

T = TypeVar("T", bound=BaseSettings)


class Settings(BaseSettings):
    """What every service reads; a service's own settings extend it with their own prefix."""

    model_config = SettingsConfigDict(env_prefix="CARILLON_", extra="forbid", frozen=True)


class ChassisSettings(Settings):
    """Settings of a process, whichever services run in it."""

    log_level: str = Field("info", pattern="^(debug|info|warning|error)$")
    """The least severe log line that is written."""
    log_json: bool = True
    """One JSON object per line; false: readable lines for a terminal."""
    run_dir: Path | None = None
    """A private folder for sockets; None: made, and recorded in `var_dir`."""
    var_dir: Path = Path("var/up")
    """Where a single machine keeps its data."""
    database_file: Path | None = None
    """Where the database is and how to log in; None: `database.json` in `var_dir`."""
    otlp_endpoint: str = Field("", pattern="^(|https?://.+)$")
    """Where traces go by OTLP over gRPC, for example `http://127.0.0.1:4317`; empty: nowhere."""
    metrics_host: str = "127.0.0.1"
    """The address that Prometheus metrics are shown at."""
    metrics_port: int = Field(-1, ge=-1, le=65_535)
    """Its port; 0: any that is free, told in the log; -1: metrics are not shown."""
    drain_timeout_s: float = Field(30.0, gt=0, le=86_400)
    """How long a drain may take before the process ends all the same."""


def load(settings: type[T]) -> T:
    """Reads settings; on a wrong value, says which variable and why, and ends with status 2."""
    try:
        return settings()
    except ValidationError as error:
        prefix = str(settings.model_config.get("env_prefix", ""))
        for problem in error.errors():
            place = [str(part) for part in problem["loc"]]
            name = f"{prefix}{place[0]}".upper() if place else f"{prefix}*"
            inside = f" at {'.'.join(place[1:])}" if place[1:] else ""
            given = _given(settings, problem)
            sys.stderr.write(f"{name}{inside}: {problem['msg']}{given}\n")
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
    raise SystemExit(2)


def _given(settings: type[BaseSettings], problem: ErrorDetails) -> str:
    """The wrong value in words, where it is known to be that of one field that is no secret."""
    field = settings.model_fields.get(str(problem["loc"][0])) if problem["loc"] else None
    value = problem["input"]
    if field is None or "Secret" in repr(field.annotation) or not isinstance(value, str | int):
        return ""
    return f" (got {value!r})"
