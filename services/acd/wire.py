"""Between requests and the model: the codec and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from enum import StrEnum
from functools import cache
from itertools import accumulate
from typing import Any, ClassVar, TypeVar, get_args

from google.protobuf import descriptor_pool
from google.protobuf.any_pb2 import Any as Envelope
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from protos.acd.v1 import commands_pb2, config_pb2, events_pb2, state_pb2
from services.acd import model
from services.chassis.codec import Codec
from services.chassis.errors import CarillonError, Kind

W = TypeVar("W", bound=StrEnum)
M = TypeVar("M", bound=Message)

MAX_ANSWER_BYTES = 3 * 1024 * 1024
"""Of the rows in one answer; a message may have 4 MiB."""
ROW_OVERHEAD_BYTES = 8
"""What a row takes beside itself."""


class UnknownWord(CarillonError):
    """A field holds a word that is not one of its values."""

    code: ClassVar[str] = "unknown-word"
    kind: ClassVar[Kind] = Kind.INVALID


def make_codec() -> Codec:
    """The codec of acd's whole model; raises when a dataclass has no message of its shape."""
    views = (model.AgentView, model.EntryView, model.QueueView, model.Receipt, model.Snapshot)
    types = (*get_args(model.Command), *get_args(model.Event), *views)
    return Codec(messages=(config_pb2, state_pb2, commands_pb2, events_pb2), types=types)


def queue_config(codec: Codec, queue: config_pb2.QueueConfig) -> model.QueueConfig:
    """A queue as asked for; no strategy named means the default one."""
    config = codec.from_proto(queue, model.QueueConfig)
    if not config.strategies:
        config = replace(config, strategies=(model.Strategy.LONGEST_IDLE,))
    return config


def agent_config(codec: Codec, agent: config_pb2.AgentConfig) -> model.AgentConfig:
    """An agent as asked for; no channel named means one voice contact at a time."""
    config = codec.from_proto(agent, model.AgentConfig)
    if not config.capacities:
        one_call = model.Capacity(channel=model.Channel.VOICE, limit=1)
        config = replace(config, capacities=(one_call,))
    return config


def shown(codec: Codec, value: object, message: type[M]) -> M:
    """The message of a value whose message is known to be this one."""
    made = codec.to_proto(value)
    assert isinstance(made, message)
    return made


def as_put(codec: Codec, value: Any, message: type[M]) -> M:
    """A configuration whose fields that say what the platform says are not set.

    Put again it means the same, and who reads it sees what was left to the platform.
    """
    made = shown(codec, value, message)
    for each in fields(value):
        if getattr(value, each.name) != each.default:
            continue
        field = made.DESCRIPTOR.fields_by_name[each.name]
        if field.has_presence or each.name == "strategies":
            made.ClearField(each.name)
    return made


def fitting(messages: Sequence[Message]) -> int:
    """How many of these, from the first on, fit into one answer; one at least, if there is one."""
    sizes = accumulate(message.ByteSize() + ROW_OVERHEAD_BYTES for message in messages)
    return max(1, sum(size <= MAX_ANSWER_BYTES for size in sizes))


def published(encoded: bytes) -> tuple[Message, str]:
    """An event of the journal as its own message, and the contact's id where it names one."""
    envelope = Envelope.FromString(encoded)
    message = _message_class(envelope.TypeName()).FromString(envelope.value)
    contact = getattr(message, "contact", message)
    return message, getattr(contact, "contact_id", "")


@cache
def _message_class(name: str) -> type[Message]:
    return GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name))


def word(words: type[W], text: str, field: str) -> W:
    """The word that a field holds; UnknownWord names those it may hold."""
    try:
        return words(text)
    except ValueError:
        allowed = ", ".join(words)
        raise UnknownWord(f"{field} is {text[:40]!r}; choose from {allowed}") from None
