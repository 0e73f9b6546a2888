from collections.abc import AsyncIterator

import pytest

from tests.softphone.dialog import Dialog
from tests.softphone.line import Line, destination
from tests.softphone.message import Headers, Response
from tests.softphone.transaction import Timers


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    opened = Line(user="ann", timers=Timers())
    await opened.open("127.0.0.1", 0)
    yield opened
    opened.close()


def dialog() -> Dialog:
    return Dialog(
        call_id="c",
        local="<sip:ann@127.0.0.1>",
        local_tag="a",
        remote="<sip:100@127.0.0.1>",
        target="sip:100@127.0.0.1:5060",
        proxy=("127.0.0.1", 5999),
    )


def answer(*extra: tuple[str, str]) -> Response:
    headers: Headers = (
        ("To", "<sip:100@127.0.0.1>;tag=b"),
        ("Contact", "<sip:bob@127.0.0.1:5070>"),
        *extra,
    )
    return Response(status=200, reason="OK", headers=headers)


async def test_the_first_request_goes_to_the_proxy_and_later_ones_to_the_contact(
    line: Line,
) -> None:
    call = dialog()
    invite = call.request(line, "INVITE")
    assert (invite.uri, call.next_hop) == ("sip:100@127.0.0.1:5060", ("127.0.0.1", 5999))
    assert (invite.to_tag, invite.cseq) == ("", (1, "INVITE"))
    call.learn(answer())
    bye = call.request(line, "BYE")
    assert (bye.uri, call.next_hop) == ("sip:bob@127.0.0.1:5070", ("127.0.0.1", 5070))
    assert (bye.to_tag, bye.cseq) == ("b", (2, "BYE"))


async def test_the_route_set_is_the_record_route_backwards(line: Line) -> None:
    call = dialog()
    call.learn(
        answer(
            ("Record-Route", "<sip:127.0.0.1:7002;lr>, <sip:127.0.0.1:7001;lr>"),
            ("Record-Route", "<sip:127.0.0.1:7000;lr>"),
        )
    )
    bye = call.request(line, "BYE")
    assert call.next_hop == ("127.0.0.1", 7000)
    assert bye.uri == "sip:bob@127.0.0.1:5070"
    assert bye.all("Route") == [
        "<sip:127.0.0.1:7000;lr>",
        "<sip:127.0.0.1:7001;lr>",
        "<sip:127.0.0.1:7002;lr>",
    ]


async def test_an_ack_carries_the_number_of_its_invite(line: Line) -> None:
    call = dialog()
    call.request(line, "INVITE")
    assert call.request(line, "ACK", cseq=1).cseq == (1, "ACK")
    assert call.request(line, "BYE").cseq == (2, "BYE")


def test_localhost_is_this_machine() -> None:
    assert destination("sip:100@localhost") == ("127.0.0.1", 5060)
