import hashlib

import pytest

from tests.softphone.digest import Gatekeeper, response_of
from tests.softphone.message import Request

URI = "sip:agent@127.0.0.1:5070"


def test_the_example_of_rfc_2617() -> None:
    given = {
        "username": "Mufasa",
        "realm": "testrealm@host.com",
        "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        "uri": "/dir/index.html",
        "qop": "auth",
        "nc": "00000001",
        "cnonce": "0a4f113b",
    }
    response = response_of(given, "GET", "Circle Of Life")
    assert response == "6629fae49393a05397450978507c4ef1"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616(algorithm: str, response: str) -> None:
    given = {
        "username": "Mufasa",
        "realm": "http-auth@example.org",
        "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "uri": "/dir/index.html",
        "qop": "auth",
        "nc": "00000001",
        "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        "algorithm": algorithm,
    }
    assert response_of(given, "GET", "Circle of Life") == response


def credentials(keeper: Gatekeeper, nonce: str, *, password: str = "secret", **more: str) -> str:
    """What a caller would send: made here by the RFC's formula, not by the code under test."""
    make = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[keeper.algorithm]
    fields = {
        "username": "ann",
        "realm": "softphone",
        "nonce": nonce,
        "uri": URI,
        "opaque": nonce[:8],
        "algorithm": keeper.algorithm,
        "qop": "auth",
        "nc": "00000001",
        "cnonce": "x",
    } | more
    first = make(f"{fields['username']}:{fields['realm']}:{password}".encode()).hexdigest()
    second = make(f"INVITE:{fields['uri']}".encode()).hexdigest()
    middle = f"{nonce}:{fields['nc']}:{fields['cnonce']}:{fields['qop']}"
    fields.setdefault("response", make(f"{first}:{middle}:{second}".encode()).hexdigest())
    bare = ("algorithm", "qop", "nc")
    pairs = (f"{k}={v}" if k in bare else f'{k}="{v}"' for k, v in fields.items())
    return "Digest " + ", ".join(pairs)


def invite(value: str | None) -> Request:
    headers = () if value is None else (("Proxy-Authorization", value),)
    return Request(method="INVITE", uri=URI, headers=headers)


def nonce_of(keeper: Gatekeeper) -> str:
    return keeper.challenge().partition('nonce="')[2].partition('"')[0]


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_the_right_password_is_let_in_and_no_credentials_are_asked_for(algorithm: str) -> None:
    keeper = Gatekeeper("ann", "secret", algorithm=algorithm)
    nonce = nonce_of(keeper)
    assert keeper.refusal(invite(None)) == ""
    assert keeper.refusal(invite(credentials(keeper, nonce))) is None


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"password": "guess"}, "the response is wrong"),
        ({"username": "bob"}, "another user"),
        ({"realm": "elsewhere"}, "another scheme or realm"),
        ({"uri": "sip:other@127.0.0.1"}, "not the Request-URI"),
        ({"opaque": "gone"}, "opaque"),
        ({"algorithm": "SHA-256"}, "algorithm"),
        ({"qop": "auth-int"}, "qop"),
        ({"nc": "1"}, "nc 1"),
        ({"nc": "00000000"}, "nc 00000000"),
    ],
)
def test_anything_wrong_is_refused_by_name(changes: dict[str, str], refusal: str) -> None:
    keeper = Gatekeeper("ann", "secret")
    value = credentials(keeper, nonce_of(keeper), **changes)
    assert refusal in (keeper.refusal(invite(value)) or "")


def test_a_nonce_count_is_used_once() -> None:
    keeper = Gatekeeper("ann", "secret")
    value = credentials(keeper, nonce_of(keeper))
    assert keeper.refusal(invite(value)) is None
    assert "nc 00000001 after 1" in (keeper.refusal(invite(value)) or "")


def test_a_nonce_that_was_never_given_is_unknown() -> None:
    keeper = Gatekeeper("ann", "secret")
    assert keeper.refusal(invite(credentials(keeper, "a" * 32))) == "an unknown nonce"


def test_another_scheme_is_refused() -> None:
    keeper = Gatekeeper("ann", "secret")
    assert "scheme" in (keeper.refusal(invite("Basic QWxhZGRpbg==")) or "")
