"""Offers as browsers make them, shortened to what differs between them."""

from __future__ import annotations

CHROME = """v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic: WMS 5c3cf1f2-54cd-4b1c-8f56-64b7a1e3e6a9
m=audio 58779 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 192.0.2.17
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:842163049 1 udp 1677729535 198.51.100.7 58779 typ srflx raddr 192.0.2.17 rport 58779 \
generation 0 network-cost 999
a=candidate:1467250027 1 udp 2122260223 192.0.2.17 58779 typ host generation 0 network-id 1
a=candidate:435653019 1 tcp 1518280447 192.0.2.17 9 typ host tcptype active generation 0
a=candidate:1467250028 1 udp 2122194687 9b36eaac-bb2e-49bb-bb78-21c41c499900.local 51000 typ host
a=candidate:1467250029 1 udp 2122194000 2001:db8::17 51001 typ host generation 0
a=ice-ufrag:Oe3t
a=ice-pwd:rFNIXhnWjK3OOZoAkZ6/q9bM
a=ice-options:trickle
a=fingerprint:sha-256 7A:18:9A:1F:54:DC:E7:2D:E9:3E:C9:45:A7:8C:5D:20:25:E1:3A:B7:D0:1E:44:7E:\
5D:94:3B:C6:5C:1C:F5:8B
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=sendrecv
a=msid:5c3cf1f2-54cd-4b1c-8f56-64b7a1e3e6a9 0b2c3a4d-0000-4b1c-8f56-64b7a1e3e6a9
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=ssrc:1990318223 cname:tq8sVmJm6gCcXcbJ
""".replace("\n", "\r\n")

FIREFOX = """v=0
o=mozilla...THIS_IS_SDPARTA-99.0 7512891028 0 IN IP4 0.0.0.0
s=-
t=0 0
a=fingerprint:sha-256 7a:18:9a:1f:54:dc:e7:2d:e9:3e:c9:45:a7:8c:5d:20:25:e1:3a:b7:d0:1e:44:7e:\
5d:94:3b:c6:5c:1c:f5:8b
a=group:BUNDLE 0 1
a=ice-options:trickle
a=msid-semantic:WMS *
m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101
c=IN IP4 0.0.0.0
a=candidate:0 1 UDP 2122252543 8a3c7c2e-0b7a-4b8e-9e0b-7f3c3d2a1b00.local 51544 typ host
a=sendrecv
a=end-of-candidates
a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
a=fmtp:101 0-15
a=ice-pwd:5ad5c4b8f0b3cfa1ff1cbcc1a9c1f3a4
a=ice-ufrag:62ee17a5
a=mid:0
a=rtcp-mux
a=rtpmap:109 opus/48000/2
a=rtpmap:9 G722/8000/1
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000/1
a=setup:actpass
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:1
a=sctp-port:5000
""".replace("\n", "\r\n")
