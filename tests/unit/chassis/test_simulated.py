"""The simulated world: virtual deadlines, crashes, and the same run for the same seed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc import aio

from services.chassis import simulated
from services.chassis.memory_call import MAX_IN_FLIGHT
from services.chassis.rpc import UNARY_DEADLINE_S
from services.chassis.simulated import START_MS, SimulatedWorld, simulate, simulated_world
from services.chassis.virtual_loop import Deadlock, NotVirtual
from tests.unit.chassis.echo import Echo, EchoStub, face

StatusCode = grpc.StatusCode


def word(text: str) -> StringValue:
    return StringValue(value=text)


async def failure(call: Awaitable[object]) -> aio.AioRpcError:
    with pytest.raises(aio.AioRpcError) as caught:
        await call
    return caught.value


def test_the_world_is_complete(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> None:
        assert world.name == "simulated"
        assert world.clock.now_ms() == START_MS
        assert world.dial("echo") is world.dial("echo")
        assert await world.blobs.get(await world.blobs.put(b"bytes")) == b"bytes"
        for folder in (world.run_dir, world.var_dir):
            assert folder.is_relative_to(tmp_path)
            assert folder.stat().st_mode & 0o777 == 0o700

    simulate(story, seed=1, folder=tmp_path)


def test_ids_follow_from_seed_and_time(tmp_path: Path) -> None:
    async def ids(world: SimulatedWorld) -> list[str]:
        first = world.new_id()
        await asyncio.sleep(1)
        return [first, world.new_id()]

    made = simulate(ids, seed=7, folder=tmp_path)
    assert made == sorted(made)
    assert simulate(ids, seed=7, folder=tmp_path) == made
    assert simulate(ids, seed=8, folder=tmp_path) != made


async def test_a_simulation_needs_virtual_time(tmp_path: Path) -> None:
    with pytest.raises(NotVirtual, match="use `simulate`"):
        simulated_world(seed=1, folder=tmp_path)


def test_deadlines_pass_in_virtual_time(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> None:
        servicer = Echo()
        world.exchange.serve("echo", [face(servicer)])
        stub = EchoStub(world.dial("echo"))
        error = await failure(stub.Say(word("wait")))
        assert error.code() is StatusCode.DEADLINE_EXCEEDED
        assert world.clock.now_ms() == START_MS + UNARY_DEADLINE_S * 1_000
        await servicer.cancelled.wait()
        error = await failure(stub.Count(word("0 wait"), timeout=3_600).read())
        assert error.code() is StatusCode.DEADLINE_EXCEEDED
        assert world.clock.now_ms() == START_MS + 5_000 + 3_600_000

    simulate(story, seed=1, folder=tmp_path)


def test_a_late_call_is_over_before_it_begins(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> None:
        world.exchange.serve("echo", [face(Echo())])
        call = EchoStub(world.dial("echo")).Say(word("wait"), timeout=-1)
        assert (await failure(call)).code() is StatusCode.DEADLINE_EXCEEDED
        assert world.clock.now_ms() == START_MS

    simulate(story, seed=1, folder=tmp_path)


def test_nobody_there_is_unavailable(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> None:
        stub = EchoStub(world.dial("echo"))
        for call in (stub.Say(word("echo")), stub.Count(word("1")).read()):
            assert (await failure(call)).code() is StatusCode.UNAVAILABLE
        world.exchange.serve("echo", [face(Echo())])
        assert (await stub.Say(word("echo back"))).value == "back"
        with pytest.raises(ValueError, match="served already"):
            world.exchange.serve("echo", [])
        world.exchange.kill("echo")
        assert (await failure(stub.Say(word("echo")))).code() is StatusCode.UNAVAILABLE

    simulate(story, seed=1, folder=tmp_path)


def test_a_crash_breaks_every_call_of_that_service_only(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> None:
        crashing, other = Echo(), Echo()
        world.exchange.serve("crashing", [face(crashing)])
        world.exchange.serve("other", [face(other)])
        stub, survivor = (EchoStub(world.dial(name)) for name in ("crashing", "other"))
        spared = survivor.Chat()
        await spared.write(word("a"))
        streams = [stub.Count(word("1 wait")), stub.Chat()]
        await streams[1].write(word("b"))
        for stream in streams:
            await stream.read()
        single = asyncio.ensure_future(failure(stub.Say(word("wait"))))
        await asyncio.sleep(1)
        world.exchange.kill("crashing")
        for broken in (*(failure(stream.read()) for stream in streams), single):
            assert (await broken).code() is StatusCode.UNAVAILABLE
        with pytest.raises(asyncio.InvalidStateError):
            await streams[1].write(word("c"))
        await crashing.cancelled.wait()
        assert (await spared.read()).value == "A"

    simulate(story, seed=1, folder=tmp_path)


def test_a_caller_may_wait_until_a_service_is_there(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> None:
        channel = world.dial("echo")
        stub = EchoStub(channel)
        assert channel.get_state() is grpc.ChannelConnectivity.TRANSIENT_FAILURE
        patient = stub.Say(word("echo back"), wait_for_ready=True, timeout=60)
        impatient = stub.Say(word("echo"), wait_for_ready=True, timeout=5)
        ready = asyncio.ensure_future(channel.channel_ready())
        assert (await failure(impatient)).code() is StatusCode.DEADLINE_EXCEEDED
        assert not patient.done()
        assert not ready.done()
        world.exchange.serve("echo", [face(Echo())])
        await ready
        assert (await patient).value == "back"
        changed = asyncio.ensure_future(
            channel.wait_for_state_change(grpc.ChannelConnectivity.READY)
        )
        await asyncio.sleep(1)
        world.exchange.kill("echo")
        await changed

    simulate(story, seed=1, folder=tmp_path)


def test_a_writer_waits_for_a_slow_reader(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> None:
        servicer = Echo()
        world.exchange.serve("echo", [face(servicer)])
        call = EchoStub(world.dial("echo")).Chat()
        # Nobody reads the answers: they fill up, then the servicer stops, then the requests do.
        for number in range(2 * MAX_IN_FLIGHT + 1):
            await call.write(word(str(number)))
        one_more = asyncio.ensure_future(call.write(word("one more")))
        await asyncio.sleep(60)
        assert not one_more.done()
        assert (await call.read()).value == "0"
        await one_more

    simulate(story, seed=1, folder=tmp_path)


def test_a_writer_that_waits_learns_that_the_server_has_ended(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> None:
        servicer = Echo()
        world.exchange.serve("echo", [face(servicer)])
        call = EchoStub(world.dial("echo")).Chat()
        for _ in range(2 * MAX_IN_FLIGHT + 1):
            await call.write(word("a"))
        stuck = asyncio.ensure_future(call.write(word("stuck")))
        await asyncio.sleep(1)
        world.exchange.kill("echo")
        assert (await failure(stuck)).code() is StatusCode.UNAVAILABLE

    simulate(story, seed=1, folder=tmp_path)


def test_requests_from_an_iterator_stop_with_their_call(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> None:
        sent = 0

        async def endless() -> AsyncIterator[StringValue]:
            nonlocal sent
            while True:
                sent += 1
                yield word("stop" if sent == 10 else "a")

        world.exchange.serve("echo", [face(Echo())])
        call = EchoStub(world.dial("echo")).Chat(endless())
        assert len([answer async for answer in call]) == 9
        await asyncio.sleep(1)
        assert sent < 10 + 2 * MAX_IN_FLIGHT

    simulate(story, seed=1, folder=tmp_path)


def test_calls_of_one_service_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(world: SimulatedWorld) -> None:
        world.exchange.serve("echo", [face(Echo())])
        stub = EchoStub(world.dial("echo"))
        calls = [stub.Count(word("1 wait")) for _ in range(3)]
        assert (await failure(calls[2].read())).code() is StatusCode.RESOURCE_EXHAUSTED
        calls[0].cancel()
        await asyncio.sleep(1)
        assert (await stub.Say(word("echo room again"))).value == "room again"

    monkeypatch.setattr(simulated, "MAX_STREAMS", 2)
    simulate(story, seed=1, folder=tmp_path)


def test_there_are_no_credentials_in_memory(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> None:
        stub = EchoStub(world.dial("echo"))
        with pytest.raises(aio.UsageError, match="no credentials"):
            stub.Say(word("echo"), compression=grpc.Compression.Gzip)

    simulate(story, seed=1, folder=tmp_path)


def test_both_ways_that_a_caller_can_be_lost_happen(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> list[bool]:
        servicer = Echo()
        world.exchange.serve("echo", [face(servicer)])
        seen = []
        for _ in range(20):
            servicer.cancelled.clear()
            servicer.over.clear()
            call = EchoStub(world.dial("echo")).Chat()
            await call.write(word("a"))
            await call.read()
            call.cancel()
            await servicer.over.wait()
            seen.append(servicer.cancelled.is_set())
        return seen

    seen = simulate(story, seed=3, folder=tmp_path)
    assert set(seen) == {True, False}
    assert simulate(story, seed=3, folder=tmp_path) == seen


def test_what_nobody_ends_is_told_as_a_deadlock(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> None:
        world.exchange.serve("echo", [face(Echo())])
        await EchoStub(world.dial("echo")).Count(word("0 wait")).read()

    with pytest.raises(
        Deadlock, match=r"at run > story > read .*; serve /test\.v1\.Echo/Count at _serve > "
    ):
        simulate(story, seed=1, folder=tmp_path)


def test_a_storys_failure_is_the_simulations(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        simulate(story, seed=1, folder=tmp_path)
