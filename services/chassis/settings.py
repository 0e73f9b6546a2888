"""Settings from the environment, refused at start with the variable's name when wrong.

Every secret may come from a file, too: `CARILLON_DATABASE_PASSWORD_FILE` in place of
`CARILLON_DATABASE_PASSWORD`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

T = TypeVar("T", bound=BaseSettings)

MAX_SECRET_FILE_BYTES = 64 * 1024
MIN_SECRET_CHARS = 12
KNOWN_SECRETS = frozenset(
    {
        "administrator",
        "carillon-secret",
        "changemechangeme",
        "kafka-password",
        "minio123minio123",
        "minioadmin",
        "minioadminminioadmin",
        "mysecretpassword",
        "passwordpassword",
        "postgrespassword",
        "secretpassword",
        "supersecretpassword",
        "test-password",
    }
)
"""What examples of all the world begin with, as far as it is long enough."""
KNOWN_WORDS = ("changeme", "change-me", "change_me", "example", "default", "placeholder")
"""No secret has one of these inside."""


class _SecretFiles(PydanticBaseSettingsSource):
    """Secrets from the files that `<VARIABLE>_FILE` names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """What a field's file holds, without the line's end; None: no file is named."""
        prefix = str(self.config.get("env_prefix", ""))
        variable = f"{prefix}{field_name}".upper()
        named = os.environ.get(f"{variable}_FILE", "") if _is_secret(field) else ""
        if not named:
            return None, field_name, False
        if os.environ.get(variable):
            raise SettingsError(f"{variable} and {variable}_FILE: set one of them")
        try:
            with Path(named).open("rb") as file:
                raw = file.read(MAX_SECRET_FILE_BYTES + 1)
            if len(raw) > MAX_SECRET_FILE_BYTES:
                raise SettingsError(
                    f"{variable}_FILE: {named} is larger than {MAX_SECRET_FILE_BYTES} bytes"
                )
            return raw.decode().rstrip("\r\n"), field_name, False
        except OSError as error:
            raise SettingsError(f"{variable}_FILE: {named}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise SettingsError(f"{variable}_FILE: {named} is no text in UTF-8") from None

    def __call__(self) -> dict[str, Any]:
        """Every secret that comes from a file."""
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


class Settings(BaseSettings):
    """What every service reads; a service's own settings extend it with their own prefix."""

    model_config = SettingsConfigDict(env_prefix="CARILLON_", extra="forbid", frozen=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the library's names)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the same)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, and files for secrets."""
        return init_settings, _SecretFiles(settings_cls), env_settings


class ChassisSettings(Settings):
    """Settings of a process, whichever services run in it."""

    world: Literal["local", "cluster"] = "local"
    """local: all on this machine; cluster: the parts that an SRE runs, see ClusterSettings."""
    replicas: int = Field(1, ge=1, le=10_000)
    """How many of this process there are; more than one need the world `cluster`."""
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
    """The address that Prometheus metrics and health are shown at."""
    metrics_port: int = Field(-1, ge=-1, le=65_535)
    """Its port; 0: any that is free, told in the log; -1: neither is shown."""
    drain_timeout_s: float = Field(30.0, gt=0, le=86_400)
    """How long a drain may take before the process ends all the same."""

    @model_validator(mode="after")
    def _shares_what_replicas_share(self) -> ChassisSettings:
        if self.replicas > 1 and self.world == "local":
            raise ValueError(
                f"CARILLON_REPLICAS is {self.replicas}, and the world `local` keeps its data on one"
                " machine: set CARILLON_WORLD=cluster"
            )
        return self


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


def checked_secret(variable: str, value: str) -> str:
    """The secret; ValueError when it is one that everybody knows, or too short to be one."""
    lowered = value.lower()
    if lowered in KNOWN_SECRETS or any(word in lowered for word in KNOWN_WORDS):
        raise ValueError(f"{variable} is a default that everybody knows: make one of your own")
    if len(value) < MIN_SECRET_CHARS or len(set(value)) < MIN_SECRET_CHARS // 3:
        raise ValueError(f"{variable} is too short: at least {MIN_SECRET_CHARS} random characters")
    return value


def _is_secret(field: FieldInfo) -> bool:
    return field.annotation is SecretStr or "SecretStr" in repr(field.annotation)


def _given(settings: type[BaseSettings], problem: ErrorDetails) -> str:
    """The wrong value in words, where it is known to be that of one field that is no secret."""
    field = settings.model_fields.get(str(problem["loc"][0])) if problem["loc"] else None
    value = problem["input"]
    if field is None or "Secret" in repr(field.annotation) or not isinstance(value, str | int):
        return ""
    return f" (got {value!r})"
