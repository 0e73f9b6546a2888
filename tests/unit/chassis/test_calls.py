"""What a call promises, the same over a real socket and in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc import aio

from services.chassis.errors import Kind, RemoteError
from services.chassis.rpc import MAX_MESSAGE_BYTES, metadata, remote_error, remote_errors
from tests.unit.chassis.echo import Peer

StatusCode = grpc.StatusCode


def word(text: str) -> StringValue:
    return StringValue(value=text)


async def test_one_request_one_answer(peer: Peer) -> None:
    assert await peer.say("echo hello") == "hello"


async def test_one_request_many_answers(peer: Peer) -> None:
    assert [answer.value async for answer in peer.stub.Count(word("3"))] == ["0", "1", "2"]


async def test_many_requests_one_answer(peer: Peer) -> None:
    async def words() -> AsyncIterator[StringValue]:
        for text in "abc":
            yield word(text)

    assert (await peer.stub.Join(words())).value == "a+b+c"
    assert (await peer.stub.Join([word("d"), word("e")])).value == "d+e"


async def test_many_requests_many_answers(peer: Peer) -> None:
    call = peer.stub.Chat()
    for text in ("one", "two"):
        await call.write(word(text))
        assert (await call.read()).value == text.upper()
    await call.done_writing()
    assert await call.read() is aio.EOF
    assert await call.code() is StatusCode.OK


@pytest.mark.parametrize("kind", Kind)
async def test_a_named_error_arrives_with_its_name(peer: Peer, kind: Kind) -> None:
    with pytest.raises(RemoteError) as caught, remote_errors():
        await peer.say(f"fail {kind}")
    assert caught.value.kind is kind
    assert caught.value.code == f"a-{kind}-problem"
    assert caught.value.message == f"this is {kind}"


@pytest.mark.parametrize("message", ["x" * 20_000, "é" * 20_000, "𝄞" * 999, "two\nlines"])
async def test_a_named_error_arrives_however_long_its_words(peer: Peer, message: str) -> None:
    with pytest.raises(RemoteError) as caught, remote_errors():
        await peer.say(f"fail-with {message}")
    assert caught.value.code == "a-conflict-problem"
    told = caught.value.message
    assert told == message or (told.endswith("…") and message.startswith(told[:-1]))
    assert min(len(message), 200) < len(told) or told == message


async def test_a_named_error_arrives_though_its_words_are_no_text(peer: Peer) -> None:
    with pytest.raises(RemoteError) as caught, remote_errors():
        await peer.say("fail-oddly")
    assert caught.value.code == "a-conflict-problem"
    assert caught.value.message == "text that UTF-8 cannot hold: ?"


async def test_an_error_in_a_stream_follows_what_was_sent(peer: Peer) -> None:
    call = peer.stub.Count(word("2 exhausted"))
    assert [(await call.read()).value for _ in range(2)] == ["0", "1"]
    with pytest.raises(RemoteError) as caught, remote_errors():
        await call.read()
    assert caught.value.code == "a-exhausted-problem"


async def test_an_error_ends_a_stream_of_requests(peer: Peer) -> None:
    with pytest.raises(RemoteError) as caught, remote_errors():
        await peer.stub.Join([word("a"), word("fail"), word("b")])
    assert caught.value.code == "a-precondition-problem"
    call = peer.stub.Chat([word("a"), word("fail"), word("b")])
    assert (await call.read()).value == "A"
    with pytest.raises(RemoteError) as caught, remote_errors():
        await call.read()
    assert caught.value.kind is Kind.ABORTED


@pytest.mark.parametrize("method", ["Say", "Count"])
async def test_an_unexpected_error_tells_nothing_of_the_inside(peer: Peer, method: str) -> None:
    words = {"Say": "crash secret-of-the-house", "Count": "0 crash"}[method]
    call = getattr(peer.stub, method)(word(words))
    with pytest.raises(aio.AioRpcError) as caught:
        await (call if method == "Say" else call.read())
    assert caught.value.code() is StatusCode.INTERNAL
    assert caught.value.details() == "internal error"
    assert "secret-of-the-house" not in repr(list(caught.value.trailing_metadata() or ()))
    assert remote_error(caught.value).code == "internal"


async def test_a_request_without_a_tenant_is_not_authenticated(peer: Peer) -> None:
    for tenant in ((), (("carillon-tenant", ""),), (("carillon-tenant", "x" * 129),)):
        with pytest.raises(RemoteError) as caught, remote_errors():
            await peer.say("tenant", metadata=tenant)
        assert caught.value.code == "missing-tenant"
        assert caught.value.kind is Kind.UNAUTHENTICATED


async def test_the_platform_is_no_tenant(peer: Peer) -> None:
    assert await peer.say("scope", metadata=metadata(tenant_id="*")) == "*"
    with pytest.raises(RemoteError) as caught, remote_errors():
        await peer.say("tenant", metadata=metadata(tenant_id="*"))
    assert caught.value.code == "one-tenant-only"


async def test_requests_at_the_same_time_keep_their_own_tenant(peer: Peer) -> None:
    names = [f"tenant-{number}" for number in range(20)]
    answers = await asyncio.gather(
        *(peer.say("gathered-tenant 20", metadata=metadata(tenant_id=name)) for name in names)
    )
    assert answers == names


async def test_a_request_does_not_inherit_the_one_before(peer: Peer) -> None:
    assert await peer.say("tenant", metadata=metadata(tenant_id="first")) == "first"
    with pytest.raises(aio.AioRpcError):
        await peer.say("tenant")
    assert await peer.say("call", metadata=metadata(call_id="c-1")) == "c-1"
    assert await peer.say("call") == "None"


async def test_a_deadline_ends_both_ends(peer: Peer) -> None:
    with pytest.raises(RemoteError) as caught, remote_errors():
        await peer.say("wait", timeout=0.05)
    assert caught.value.kind is Kind.DEADLINE
    await peer.servicer.cancelled.wait()


async def test_a_deadline_ends_a_stream(peer: Peer) -> None:
    call = peer.stub.Count(word("1 wait"), timeout=0.1)
    assert (await call.read()).value == "0"
    with pytest.raises(aio.AioRpcError) as caught:
        await call.read()
    assert caught.value.code() is StatusCode.DEADLINE_EXCEEDED
    await peer.servicer.cancelled.wait()


async def test_a_unary_call_has_a_deadline_of_its_own(peer: Peer) -> None:
    # Timers are rounded on the way, so not to the millisecond.
    assert 4 < float(await peer.say("left")) < 5.5
    assert 8 < float(await peer.say("left", timeout=9)) < 9.5


async def test_who_cancels_a_call_cancels_its_handler(peer: Peer) -> None:
    call = peer.stub.Say(word("wait"))
    await peer.servicer.begun.wait()
    assert call.cancel()
    assert not call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert call.done()
    assert call.cancelled()
    assert await call.code() is StatusCode.CANCELLED
    await peer.servicer.cancelled.wait()


async def test_who_cancels_a_stream_ends_its_handler(peer: Peer) -> None:
    call = peer.stub.Chat()
    await call.write(word("a"))
    assert (await call.read()).value == "A"
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call.read()
    await peer.servicer.over.wait()


async def test_a_cancelled_task_takes_its_call_with_it(peer: Peer) -> None:
    task = asyncio.ensure_future(peer.say("wait"))
    await peer.servicer.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await peer.servicer.cancelled.wait()


async def test_a_task_cancelled_as_it_reads_takes_its_stream_with_it(peer: Peer) -> None:
    reading = asyncio.Event()

    async def read_all() -> None:
        async for _ in peer.stub.Count(word("1 wait")):
            reading.set()

    task = asyncio.ensure_future(read_all())
    await reading.wait()
    await peer.servicer.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await peer.servicer.cancelled.wait()


async def test_a_server_may_end_a_stream_before_its_caller(peer: Peer) -> None:
    call = peer.stub.Chat()
    await call.write(word("stop"))
    assert await call.read() is aio.EOF
    assert await call.code() is StatusCode.OK
    with pytest.raises(asyncio.InvalidStateError):
        await call.write(word("too late"))


async def test_requests_that_fail_cancel_their_call(peer: Peer) -> None:
    async def words() -> AsyncIterator[StringValue]:
        yield word("a")
        await peer.servicer.begun.wait()
        raise ZeroDivisionError

    with pytest.raises(asyncio.CancelledError):
        await peer.stub.Join(words())
    await peer.servicer.over.wait()


async def test_the_two_styles_are_not_mixed(peer: Peer) -> None:
    iterated = peer.stub.Chat([word("a")])
    assert [answer.value async for answer in iterated] == ["A"]
    with pytest.raises(aio.UsageError):
        await iterated.write(word("b"))
    written = peer.stub.Chat()
    await written.write(word("a"))
    await written.read()
    with pytest.raises(aio.UsageError):
        written.__aiter__()
    await written.done_writing()
    with pytest.raises(asyncio.InvalidStateError):
        await written.write(word("b"))
    assert await written.read() is aio.EOF


async def test_an_unknown_method_is_not_implemented(peer: Peer) -> None:
    with pytest.raises(aio.AioRpcError) as caught:
        await peer.stub.Missing(word(""))
    assert caught.value.code() is StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("way", ["asked", "answered"])
async def test_messages_are_limited(peer: Peer, way: str) -> None:
    room = MAX_MESSAGE_BYTES - 16
    assert len(await peer.say(f"large {room}")) == room
    large = MAX_MESSAGE_BYTES + 1
    with pytest.raises(RemoteError) as caught, remote_errors():
        await peer.say("echo " + "x" * large if way == "asked" else f"large {large}")
    assert caught.value.kind is Kind.EXHAUSTED


async def test_a_method_may_set_status_and_metadata(peer: Peer) -> None:
    call = peer.stub.Say(word("metadata of-ours"))
    assert ("before", "of-ours") in tuple(await call.initial_metadata())
    await call
    assert await call.code() is StatusCode.OK
    assert tuple(await call.trailing_metadata()) == (("after", "of-ours"), ("after-bin", b"\x00"))
    with pytest.raises(aio.AioRpcError) as caught:
        await peer.say("code DATA_LOSS")
    assert (caught.value.code(), caught.value.details()) == (StatusCode.DATA_LOSS, "as told")


@pytest.mark.parametrize("pair", [("Upper", "x"), ("text", "non-ascii é"), ("x-bin", "text")])
async def test_metadata_that_cannot_travel_are_refused(peer: Peer, pair: tuple[str, str]) -> None:
    with pytest.raises((ValueError, TypeError, aio.InternalError)):
        await peer.say("echo", metadata=(pair,))


async def test_a_done_callback_is_called(peer: Peer) -> None:
    call = peer.stub.Say(word("echo a"))
    done = asyncio.get_running_loop().create_future()
    call.add_done_callback(done.set_result)
    await call
    assert await done is call


async def test_a_closed_channel_takes_no_calls_and_cancels_the_present_ones(peer: Peer) -> None:
    call = peer.stub.Say(word("wait"))
    await peer.servicer.begun.wait()
    await peer.channel.close()
    with pytest.raises(asyncio.CancelledError):
        await call
    with pytest.raises(aio.UsageError):
        await peer.say("echo")
    await peer.servicer.cancelled.wait()


async def test_a_channel_knows_when_the_service_is_there(peer: Peer) -> None:
    await peer.channel.channel_ready()
    assert peer.channel.get_state() is grpc.ChannelConnectivity.READY


async def test_a_channel_that_closes_lets_calls_finish(peer: Peer) -> None:
    call = peer.stub.Chat()
    await call.write(word("a"))
    closing = asyncio.ensure_future(peer.channel.close(grace=5))
    assert (await call.read()).value == "A"
    await call.done_writing()
    assert await call.read() is aio.EOF
    await closing
    assert await call.code() is StatusCode.OK


async def test_a_channel_is_its_own_context(peer: Peer) -> None:
    async with peer.channel:
        assert await peer.say("echo inside") == "inside"
    assert peer.channel.get_state() is grpc.ChannelConnectivity.SHUTDOWN
    with pytest.raises(aio.UsageError):
        await peer.channel.channel_ready()


async def test_a_call_tells_its_time_its_end_and_its_words(peer: Peer) -> None:
    call = peer.stub.Count(word("0 not-found"), timeout=60)
    assert 50 < call.time_remaining() < 61
    assert await call.code() is StatusCode.NOT_FOUND
    assert await call.details() == "this is not-found"
    assert call.done()
    assert not call.cancelled()
    with pytest.raises(aio.AioRpcError):
        await call.wait_for_connection()
    assert peer.stub.Count(word("0 wait")).time_remaining() is None


async def test_a_writer_learns_of_the_servers_error(peer: Peer) -> None:
    call = peer.stub.Chat()
    await call.write(word("fail"))
    with pytest.raises(aio.AioRpcError) as caught:
        await call.read()
    assert caught.value.code() is StatusCode.ABORTED
    with pytest.raises((aio.AioRpcError, asyncio.InvalidStateError)):
        await call.write(word("again"))


async def test_the_first_abort_counts(peer: Peer) -> None:
    with pytest.raises(aio.AioRpcError) as caught:
        await peer.say("abort-twice")
    assert caught.value.code() is StatusCode.ABORTED
    assert caught.value.details() == "the first counts"


async def test_a_servicer_is_called_back_when_a_call_is_over(peer: Peer) -> None:
    await peer.say("note-done")
    await peer.servicer.over.wait()


async def test_many_writes_without_a_reader_end_with_their_task(peer: Peer) -> None:
    call = peer.stub.Chat()

    async def write_on() -> None:
        large = word("x" * 50_000)
        for _ in range(1_000):
            await call.write(large)

    task = asyncio.ensure_future(write_on())
    await peer.servicer.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await peer.servicer.over.wait()
    assert call.cancelled()
