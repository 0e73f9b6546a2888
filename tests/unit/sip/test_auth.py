"""Digest: the RFCs' own numbers, and what is done with a challenge."""

from __future__ import annotations

import pytest

from media_gateway.sip.auth import (
    MAX_ROUNDS,
    Challenge,
    Credentials,
    DigestSession,
    digest,
    parse_auth_params,
)
from media_gateway.sip.grammar import MalformedField
from media_gateway.sip.headers import Headers
from media_gateway.sip.message import Response

MUFASA_2617 = Credentials("Mufasa", "Circle Of Life")
MUFASA_7616 = Credentials("Mufasa", "Circle of Life")


def test_rfc_2617_section_3_5() -> None:
    challenge = Challenge.parse(
        'Digest realm="testrealm@host.com", qop="auth,auth-int", '
        'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    assert challenge.qop == "auth"
    assert (
        digest(challenge, MUFASA_2617, method="GET", uri="/dir/index.html", cnonce="0a4f113b")
        == "6629fae49393a05397450978507c4ef1"
    )


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_rfc_7616_section_3_9_1(algorithm: str, expected: str) -> None:
    challenge = Challenge.parse(
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    assert (
        digest(
            challenge,
            MUFASA_7616,
            method="GET",
            uri="/dir/index.html",
            cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        )
        == expected
    )


def test_the_way_of_rfc_2069_without_qop() -> None:
    challenge = Challenge("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093")
    credentials = Credentials("Mufasa", "CircleOfLife")
    assert (
        digest(challenge, credentials, method="GET", uri="/dir/index.html")
        == "1949323746fe6a43ef61f9606e7febea"
    )


@pytest.mark.parametrize(
    "text",
    [
        "Basic realm=x",
        'Digest realm="x"',
        'Digest realm="x", nonce="y", algorithm=SHA3',
        'Digest realm="x", nonce="y", qop="token"',
        'Digest realm="x", nonce="y',
        'Digest realm="x", nonce="y", nonce="z"',
        "Digest",
        'Digest realm="x"y, nonce="z"',
        'Digest realm="x", nonce',
    ],
)
def test_challenges_that_cannot_be_answered(text: str) -> None:
    with pytest.raises(MalformedField):
        Challenge.parse(text)


def test_parameters_keep_commas_and_escapes_within_quotes() -> None:
    assert parse_auth_params(r'Realm="a, \"b\"" , nonce = "n",stale=TRUE') == {
        "realm": 'a, "b"',
        "nonce": "n",
        "stale": "TRUE",
    }


def challenged(*challenges: str, header: str = "WWW-Authenticate") -> Response:
    return Response(401, "Unauthorized", Headers((header, text) for text in challenges))


def session(realm: str | None = None) -> DigestSession:
    return DigestSession(Credentials("alice", "secret", realm), lambda: "cn")


def test_each_use_of_a_nonce_counts_up() -> None:
    digests = session()
    assert digests.learn(challenged('Digest realm="r", nonce="n", qop="auth"'), 0)
    first = dict(digests.fields("INVITE", "sip:b@h", b""))["Authorization"]
    second = dict(digests.fields("BYE", "sip:b@h", b""))["Authorization"]
    assert "nc=00000001" in first
    assert "nc=00000002" in second
    expected = digest(
        Challenge("r", "n", qop="auth"),
        Credentials("alice", "secret"),
        method="BYE",
        uri="sip:b@h",
        cnonce="cn",
        count=2,
    )
    assert f'response="{expected}"' in second


def test_the_first_challenge_that_is_understood_is_answered() -> None:
    # RFC 8760, section 2.4: the challenger lists its preference first.
    digests = session()
    assert digests.learn(
        challenged(
            'Digest realm="r", nonce="1", algorithm=SHA3-256',
            'Digest realm="r", nonce="2", algorithm=SHA-256',
            'Digest realm="r", nonce="3", algorithm=MD5',
        ),
        0,
    )
    ((name, value),) = digests.fields("INVITE", "sip:b@h", b"")
    assert name == "Authorization"
    assert 'nonce="2"' in value
    assert "algorithm=SHA-256" in value


def test_every_realm_on_the_way_is_answered() -> None:
    digests = session()
    response = Response(
        407,
        "Proxy Authentication Required",
        Headers(
            [
                ("Proxy-Authenticate", 'Digest realm="p1", nonce="1"'),
                ("Proxy-Authenticate", 'Digest realm="p2", nonce="2"'),
                ("WWW-Authenticate", 'Digest realm="far", nonce="3"'),
            ]
        ),
    )
    assert digests.learn(response, 0)
    names = [name for name, _ in digests.fields("INVITE", "sip:b@h", b"")]
    assert sorted(names) == ["Authorization", "Proxy-Authorization", "Proxy-Authorization"]


def test_refused_credentials_are_not_sent_again() -> None:
    digests = session()
    assert digests.learn(challenged('Digest realm="r", nonce="1"'), 0)
    assert not digests.learn(challenged('Digest realm="r", nonce="1"'), 1)
    assert not digests.learn(challenged('Digest realm="r", nonce="2"'), 1)


def test_a_stale_nonce_is_replaced_but_not_for_ever() -> None:
    digests = session()
    for attempt in range(MAX_ROUNDS):
        stale = f'Digest realm="r", nonce="{attempt}", stale=true'
        assert digests.learn(challenged(stale), attempt)
    assert not digests.learn(challenged('Digest realm="r", nonce="x", stale=true'), MAX_ROUNDS)


def test_a_nonce_of_an_earlier_request_may_be_replaced() -> None:
    digests = session()
    assert digests.learn(challenged('Digest realm="r", nonce="1"'), 0)
    assert digests.learn(challenged('Digest realm="r", nonce="2"'), 0)


def test_another_realm_gets_nothing() -> None:
    assert not session("mine").learn(challenged('Digest realm="theirs", nonce="1"'), 0)
    assert not DigestSession(None, lambda: "").learn(challenged('Digest realm="r", nonce="1"'), 0)


def test_the_body_is_protected_when_nothing_less_will_do() -> None:
    digests = session()
    assert digests.learn(challenged('Digest realm="r", nonce="n", qop="auth-int"'), 0)
    one = digests.fields("INVITE", "sip:b@h", b"one")[0][1]
    expected = digest(
        Challenge("r", "n", qop="auth-int"),
        Credentials("alice", "secret"),
        method="INVITE",
        uri="sip:b@h",
        body=b"one",
        cnonce="cn",
    )
    assert f'response="{expected}"' in one
    assert "qop=auth-int" in one


def test_session_algorithms_bind_the_nonces() -> None:
    plain = Challenge("r", "n", "MD5", "auth")
    bound = Challenge("r", "n", "MD5-sess", "auth")
    credentials = Credentials("alice", "secret")
    answers = {
        digest(challenge, credentials, method="INVITE", uri="sip:b", cnonce="c")
        for challenge in (plain, bound)
    }
    assert len(answers) == 2


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(Credentials("alice", "secret"))
