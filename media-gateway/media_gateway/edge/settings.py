"""What the edge's feeding program is told; Kamailio itself reads the same variables (`run`)."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from services.chassis.settings import Settings


class EdgeSettings(Settings):
    """Settings of one edge."""

    model_config = SettingsConfigDict(env_prefix="CARILLON_EDGE_", extra="ignore", frozen=True)

    host: str
    """The numeric address that SIP is received at."""
    port: int = Field(default=5060, ge=1, le=65_535)
    """Its port."""
    advertised: str = ""
    """host:port that others reach it by; empty: `host` and `port`."""
    dir: Path
    """The folder that Kamailio has, too."""
    trunks: Path | None = None
    """Kamailio's: the file of trunks; None: `trunks.list` in `dir`."""
    flood: int = Field(default=200, ge=1, le=1_000_000)
    """Kamailio's: requests in two seconds from an address that is no trunk."""
    workers: int = Field(default=4, ge=1, le=64)
    """Kamailio's: processes for UDP, and as many for TCP."""
    memory_mb: int = Field(default=1_024, ge=64, le=65_536)
    """Kamailio's: memory that they share."""
    worker_memory_mb: int = Field(default=8, ge=1, le=4_096)
    """Kamailio's: memory of each."""
    face: str = Field(default="edge", pattern="^edge[a-z0-9-]{0,32}$")
    """What this edge's socket is called where several are on one machine."""
    expires_ms: int = Field(default=5_000, ge=2_000, le=60_000)
    """For so long an announcement holds; gateways repeat theirs each second."""
    metrics_port: int | None = Field(default=None, ge=-1, le=65_535)
    """The port of this program's metrics, where CARILLON_METRICS_PORT is another process's."""

    @field_validator("host")
    @classmethod
    def _is_address(cls, value: str) -> str:
        ip_address(value)
        return value

    @property
    def sip_address(self) -> str:
        """Where gateways reach it, and where it sends from."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"
