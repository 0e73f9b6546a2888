"""What is used of aioice, aiortc and pylibsrtp below their documented faces.

Each test fails with a name when another version no longer has what the gateway builds on.
"""

from __future__ import annotations

import asyncio
import inspect
from importlib.metadata import version

import pylibsrtp
import pytest
from aioice import Candidate, Connection
from aioice.ice import CandidatePair, StunProtocol, get_host_addresses
from aioice.stun import Message, TransactionError
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsParameters, RTCDtlsTransport
from pyee.asyncio import AsyncIOEventEmitter


def parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type] # any callable


def test_the_versions_are_those_that_were_read() -> None:
    assert version("aiortc").startswith("1.16.")
    assert version("aioice").startswith("0.13.")


def test_a_datagram_arrives_at_the_stun_protocol() -> None:
    assert parameters(StunProtocol.datagram_received) == ["self", "data", "addr"]
    assert parameters(StunProtocol.__init__) == ["self", "receiver"]
    assert parameters(StunProtocol.request) == [
        "self",
        "request",
        "addr",
        "integrity_key",
        "retransmissions",
    ]
    assert issubclass(StunProtocol, asyncio.DatagramProtocol)


async def test_what_is_no_stun_goes_to_the_connection() -> None:
    connection = Connection(ice_controlling=False)
    protocol = StunProtocol(connection)
    protocol.local_candidate = Candidate.from_sdp("1 1 udp 1 127.0.0.1 9 typ host")
    protocol.datagram_received(b"\x16dtls", ("127.0.0.1", 9))
    assert connection._queue.get_nowait() == (b"\x16dtls", 1)


def test_the_connection_asks_its_subclass_for_candidates_and_consent() -> None:
    assert parameters(Connection.get_component_candidates) == [
        "self",
        "component",
        "addresses",
        "timeout",
    ]
    assert parameters(Connection.query_consent) == ["self"]
    assert parameters(Connection.data_received) == ["self", "data", "component"]
    assert parameters(Connection.check_complete) == ["self", "pair"]
    assert parameters(Connection.build_request) == ["self", "pair", "nominate"]
    assert inspect.iscoroutinefunction(Connection.query_consent)
    source = inspect.getsource(Connection.connect)
    assert "self.query_consent()" in source
    assert parameters(Connection.respond_error) == [
        "self",
        "request",
        "addr",
        "protocol",
        "error_code",
    ]
    assert parameters(Connection.check_incoming) == ["self", "message", "addr", "protocol"]


def test_gathering_leaves_its_candidates_and_its_end_in_the_connection() -> None:
    assert parameters(Connection.gather_candidates) == ["self"]
    source = inspect.getsource(Connection.gather_candidates)
    for name in ("start", "end"):
        assert f"self._local_candidates_{name} = True" in source
    assert "if not self._local_candidates_end:" in inspect.getsource(Connection.connect)


def test_the_connection_sends_by_a_verb_that_no_subclass_takes() -> None:
    assert "self.sendto(data, 1)" in inspect.getsource(Connection.send)
    assert parameters(Connection.sendto) == ["self", "data", "component"]


def test_the_nominated_pair_is_kept_by_component() -> None:
    connection = Connection(ice_controlling=False)
    assert connection._nominated == {}
    assert connection._protocols == []
    assert "self._nominated[pair.component] = pair" in inspect.getsource(Connection.check_complete)
    for name in ("protocol", "remote_addr"):
        assert hasattr(CandidatePair, name) or name in inspect.getsource(CandidatePair.__init__)


def test_names_of_the_connection_are_writable_before_it_connects() -> None:
    connection = Connection(ice_controlling=False)
    connection.remote_username, connection.remote_password = "user", "password"
    connection.remote_is_lite = True
    assert len(connection.local_username) >= 4
    assert len(connection.local_password) >= 22


def test_no_end_of_candidates_keeps_the_checks_going() -> None:
    connection = Connection(ice_controlling=False)
    assert connection._remote_candidates_expected()
    assert connection._check_periodic()


def test_the_addresses_of_the_machine_leave_loopback_out() -> None:
    assert parameters(get_host_addresses) == ["use_ipv4", "use_ipv6"]
    assert "127.0.0.1" not in get_host_addresses(use_ipv4=True, use_ipv6=False)


def test_a_question_without_answer_is_a_transaction_error() -> None:
    assert issubclass(TransactionError, Exception)
    assert inspect.isclass(Message)


def test_dtls_needs_only_a_role_and_two_verbs_of_the_path() -> None:
    source = inspect.getsource(RTCDtlsTransport)
    for used in ("self.transport._recv()", "self.transport._send(", "self.transport.role"):
        assert used in source
    assert source.count("self.transport.") == sum(
        source.count(f"self.transport.{name}") for name in ("_recv()", "_send(", "role")
    )


def test_dtls_is_told_its_part_and_tells_its_state() -> None:
    assert parameters(RTCDtlsTransport.__init__) == ["self", "transport", "certificates"]
    assert parameters(RTCDtlsTransport._set_role) == ["self", "role"]
    assert parameters(RTCDtlsTransport.start) == ["self", "remoteParameters"]
    assert parameters(RTCDtlsTransport.stop) == ["self"]
    assert issubclass(RTCDtlsTransport, AsyncIOEventEmitter)
    assert 'self.emit("statechange")' in inspect.getsource(RTCDtlsTransport._set_state)
    assert parameters(RTCDtlsParameters) == ["fingerprints", "role"]


@pytest.mark.parametrize("name", ["_rx_srtp", "_tx_srtp"])
def test_dtls_leaves_the_keys_in_sessions(name: str) -> None:
    assert f"self.{name} = Session(" in inspect.getsource(RTCDtlsTransport._setup_srtp)


def test_a_session_protects_what_another_with_its_key_unprotects() -> None:
    def session(kind: int) -> pylibsrtp.Session:
        return pylibsrtp.Session(pylibsrtp.Policy(key=b"k" * 30, ssrc_type=kind))

    sender = session(pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    receiver = session(pylibsrtp.Policy.SSRC_ANY_INBOUND)
    packet = bytes.fromhex("800000010000000100000001") + b"payload"
    assert receiver.unprotect(sender.protect(packet)) == packet
    with pytest.raises(pylibsrtp.Error):
        receiver.unprotect(packet)


def test_what_dtls_needs_of_a_certificate_is_made_by_one_verb() -> None:
    assert parameters(RTCCertificate._create_ssl_context) == ["self", "srtp_profiles"]
    assert "_create_ssl_context(" in inspect.getsource(RTCDtlsTransport.start)
    assert parameters(RTCCertificate.__init__) == ["self", "key", "cert"]


def test_a_certificate_says_when_it_ends_and_its_digests() -> None:
    certificate = RTCCertificate.generateCertificate()
    assert certificate.expires.tzinfo is not None
    assert "sha-256" in {known.algorithm for known in certificate.getFingerprints()}
