"""What of recording can be set from the environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.chassis.settings import Settings


class RecordingSettings(Settings):
    """`CARILLON_RECORDING_KEY_FILE` and so on."""

    model_config = SettingsConfigDict(env_prefix="CARILLON_RECORDING_", extra="forbid", frozen=True)

    key_file: Path | None = None
    """The private keys, one per line in hex; None: made in this installation's own folder."""
    folder: Path | None = None
    """Where segments are kept; None: in this installation's own folder."""
    gateway_silence_s: float = Field(60.0, ge=10, le=86_400)
    """A gateway that is silent for so long is taken for lost."""
    sweep_every_s: float = Field(10.0, gt=0, le=3_600)
    """How often lost gateways are looked for."""
    reconcile_every_s: float = Field(900.0, gt=0, le=86_400)
    """How often answered calls are compared with stored recordings."""

    def keys_in(self, var_dir: Path) -> Path:
        """The file with the private keys of an installation that keeps its data there."""
        return self.key_file or var_dir / "recording" / "keys"

    def segments_in(self, var_dir: Path) -> Path:
        """The folder with the segments of an installation that keeps its data there."""
        return self.folder or var_dir / "recording" / "segments"
