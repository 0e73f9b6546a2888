"""Agents' browsers: ICE, DTLS and SRTP."""

from media_gateway.webrtc.below_aiortc import import_transports

import_transports()
