from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from services.chassis.settings import ChassisSettings, Settings, load


class LineSettings(Settings):
    model_config = SettingsConfigDict(env_prefix="CARILLON_LINE_")

    port: int = Field(5060, ge=1, le=65_535)
    password: SecretStr = Field(SecretStr(""), max_length=8)
    passwords: dict[str, SecretStr] = Field(default_factory=dict)


class TrunkSettings(Settings):
    model_config = SettingsConfigDict(env_prefix="CARILLON_TRUNK_")

    host: str
    password: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _together(self) -> TrunkSettings:
        if self.host == "nowhere":
            raise ValueError("this host does not exist")
        return self


def told(settings: type[Settings], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as caught:
        load(settings)
    assert caught.value.code == 2
    return capsys.readouterr().err


def test_defaults_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOG_LEVEL", "LOG_JSON", "RUN_DIR", "VAR_DIR", "DRAIN_TIMEOUT_S"):
        monkeypatch.delenv(f"CARILLON_{name}", raising=False)
    settings = load(ChassisSettings)
    assert (settings.log_level, settings.log_json, settings.run_dir) == ("info", True, None)
    assert (settings.var_dir, settings.drain_timeout_s) == (Path("var/up"), 30)


def test_the_environment_is_read_by_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARILLON_LOG_LEVEL", "debug")
    monkeypatch.setenv("CARILLON_LINE_PORT", "5070")
    monkeypatch.setenv("CARILLON_PORT", "1")
    assert load(ChassisSettings).log_level == "debug"
    assert load(LineSettings).port == 5070


@pytest.mark.parametrize(
    ("settings", "name", "value", "why"),
    [
        (ChassisSettings, "CARILLON_LOG_LEVEL", "loud", "match pattern"),
        (ChassisSettings, "CARILLON_LOG_JSON", "perhaps", "valid boolean"),
        (ChassisSettings, "CARILLON_DRAIN_TIMEOUT_S", "0", "greater than 0"),
        (ChassisSettings, "CARILLON_DRAIN_TIMEOUT_S", "86401", "less than or equal to 86400"),
        (LineSettings, "CARILLON_LINE_PORT", "70000", "less than or equal to 65535"),
    ],
)
def test_a_wrong_value_is_told_with_its_variable(
    settings: type[Settings],
    *,
    name: str,
    value: str,
    why: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, value)
    line = told(settings, capsys)
    assert line.startswith(f"{name}: ")
    assert why in line
    assert f"(got {value!r})" in line


def test_every_wrong_value_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARILLON_LOG_LEVEL", "loud")
    monkeypatch.setenv("CARILLON_LOG_JSON", "perhaps")
    assert len(told(ChassisSettings, capsys).splitlines()) == 2


def test_a_secret_is_never_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARILLON_LINE_PASSWORD", "hunter2hunter2")
    line = told(LineSettings, capsys)
    assert line.startswith("CARILLON_LINE_PASSWORD: ")
    assert "hunter2" not in line
    monkeypatch.setenv("CARILLON_LINE_PASSWORD", "")
    monkeypatch.setenv("CARILLON_LINE_PASSWORDS", '{"a": {"b": "hunter2"}}')
    line = told(LineSettings, capsys)
    assert line.startswith("CARILLON_LINE_PASSWORDS at a: ")
    assert "hunter2" not in line
    monkeypatch.setenv("CARILLON_LINE_PASSWORDS", "hunter2")
    line = told(LineSettings, capsys)
    assert '"passwords"' in line
    assert "hunter2" not in line


@pytest.mark.parametrize("host", [None, "nowhere"])
def test_a_missing_value_does_not_tell_the_others(
    host: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARILLON_TRUNK_PASSWORD", "hunter2")
    if host is not None:
        monkeypatch.setenv("CARILLON_TRUNK_HOST", host)
    line = told(TrunkSettings, capsys)
    expected = {
        None: "CARILLON_TRUNK_HOST: Field required\n",
        "nowhere": "CARILLON_TRUNK_*: Value error, this host does not exist\n",
    }
    assert line == expected[host]
    assert "hunter2" not in line


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(LineSettings).port = 1
