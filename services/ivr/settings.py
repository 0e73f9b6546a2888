"""What of ivr can be set from the environment."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.chassis.settings import Settings


class IvrSettings(Settings):
    """Limits of time, in seconds: `CARILLON_IVR_QUEUE_LIMIT_S` and so on."""

    model_config = SettingsConfigDict(env_prefix="CARILLON_IVR_", extra="forbid", frozen=True)

    queue_limit_s: float = Field(30.0, gt=0, le=300)
    """How long acd may be away before a caller who waits gets the flow's default treatment."""
    effect_limit_s: float = Field(60.0, gt=0, le=300)
    """How long anything else is told to acd again and again before it is given up."""
    render_limit_s: float = Field(1.5, gt=0, le=10)
    """How long a text may take to be spoken while its caller waits for it."""
    warm_limit_s: float = Field(3.0, gt=0, le=4)
    """How long a publication waits for its prompts; the rest is spoken afterwards."""
