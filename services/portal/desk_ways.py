"""The ways by which a browser's audio reaches gateways."""

from __future__ import annotations

from protos.portal.v1 import desk_pb2
from services.chassis.clock import Clock
from services.portal.core.ice import ice_servers, ice_urls
from services.portal.settings import PortalSettings


class Ways:
    """What an installation's settings say of them, for one agent after the other."""

    def __init__(self, *, settings: PortalSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    def of(self, agent_id: str) -> desk_pb2.IceServers:
        """As the agent's browser takes them, with credentials that begin now."""
        settings = self._settings
        servers = ice_servers(
            ice_urls(settings.ice_urls),
            secret=settings.ice_secret.get_secret_value() if settings.ice_secret else "",
            user=agent_id,
            now_ms=self._clock.now_ms(),
            lifetime_s=settings.ice_lifetime_s,
        )
        return desk_pb2.IceServers(
            servers=[
                desk_pb2.IceServer(
                    urls=each.urls, username=each.username, credential=each.credential
                )
                for each in servers
            ],
            relay_only=settings.ice_relay_only,
            lifetime_s=settings.ice_lifetime_s,
        )
