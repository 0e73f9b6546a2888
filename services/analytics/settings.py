"""What analytics reads from its environment."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.analytics.core.measures import Terms
from services.chassis.settings import Settings


class AnalyticsSettings(Settings):
    """Settings of analytics."""

    model_config = SettingsConfigDict(env_prefix="CARILLON_ANALYTICS_", extra="forbid", frozen=True)

    threshold_s: int = Field(20, ge=1, le=86_400)
    """T of service levels, where a report names none."""
    threshold_included: bool = False
    """True: in time is at most T; false: less than T."""
    short_abandon_s: int = Field(5, ge=0, le=3_600)
    """s: abandoned after at most so long is a short abandonment."""

    @property
    def terms(self) -> Terms:
        """What formulas leave open."""
        return Terms(
            threshold_ms=self.threshold_s * 1_000,
            inclusive=self.threshold_included,
            short_ms=self.short_abandon_s * 1_000,
        )
