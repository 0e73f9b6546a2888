"""Opens transports to browsers: one certificate for all of them, renewed each day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aiortc.rtcdtlstransport import RTCCertificate, SRTPProtectionProfile
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.x509 import Certificate
from OpenSSL import SSL
from typing_extensions import override

from media_gateway.webrtc.ice import IceSettings
from media_gateway.webrtc.model import BrowserListener
from media_gateway.webrtc.sdp import BrowserOffer, Codec, Fingerprint
from media_gateway.webrtc.sdp_answer import LocalMedia, build_answer
from media_gateway.webrtc.transport import BrowserTransport

RENEW_BEFORE = timedelta(days=29)
"""Certificates are made for 30 days."""
_DIGEST = "sha-256"


class GatewayCertificate(RTCCertificate):
    """One for all browsers: what DTLS needs of it is made once, which takes some milliseconds."""

    def __init__(self, key: EllipticCurvePrivateKey, cert: Certificate) -> None:
        super().__init__(key, cert)
        self._context: SSL.Context | None = None

    @override
    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        if self._context is None:
            self._context = super()._create_ssl_context(srtp_profiles)
        return self._context


class Connector:
    """Made once for a gateway."""

    def __init__(self, settings: IceSettings) -> None:
        self._settings = settings
        self._certificate: RTCCertificate | None = None
        self._open: dict[BrowserTransport, None] = {}

    def __len__(self) -> int:
        """How many transports are open."""
        return len(self._open)

    async def open(
        self,
        offer: BrowserOffer,
        listener: BrowserListener,
        *,
        codec: Codec,
        session_id: int,
        ssrc: int,
        cname: str,
    ) -> tuple[BrowserTransport, str]:
        """A transport with its ports bound, and the sdp_answer that leads there; NoBrowserPort."""
        certificate = self._present_certificate()
        transport = BrowserTransport(
            offer,
            listener,
            settings=self._settings,
            certificate=certificate,
            on_closed=self._forget,
        )
        self._open[transport] = None
        try:
            await transport.bind()
        except BaseException:
            await transport.close()
            raise
        host, port = transport.candidates[0].split()[4:6]
        local = LocalMedia(
            session_id=session_id,
            codec=codec,
            username=transport.username,
            password=transport.password,
            fingerprint=_fingerprint(certificate),
            candidates=transport.candidates,
            host=host,
            port=int(port),
            ssrc=ssrc,
            cname=cname,
        )
        return transport, build_answer(offer, local)

    async def close(self) -> None:
        """Closes what is still open."""
        for transport in list(self._open):
            await transport.close()

    def _forget(self, transport: BrowserTransport) -> None:
        self._open.pop(transport, None)

    def _present_certificate(self) -> RTCCertificate:
        certificate = self._certificate
        if certificate is None or certificate.expires - datetime.now(UTC) < RENEW_BEFORE:
            certificate = self._certificate = GatewayCertificate.generateCertificate()
        return certificate


def _fingerprint(certificate: RTCCertificate) -> Fingerprint:
    value = next(
        known.value for known in certificate.getFingerprints() if known.algorithm == _DIGEST
    )
    return Fingerprint(_DIGEST, value)
