"""What the caller hears: prompts with their values, questions, and what fills a wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from services.ivr.core import templates
from services.ivr.core.limits import APOLOGY_LIMIT_MS, MESSAGE_DIGIT_TIMEOUT_MS
from services.ivr.core.names import QUEUE_NAMES, queue_values, text_values
from services.ivr.core.phrases import agent_lost, delay
from services.ivr.core.turn import Turn
from services.ivr.model.actions import AnnounceWait, GatherDigits, PlayPrompts
from services.ivr.model.checkpoint import Purpose, Stage
from services.ivr.model.flow import Consent, Enqueue, Gather, Menu, Prompt, Value

_MUSIC = Prompt(system="music")
_RINGBACK = Prompt(system="ringback")
_APOLOGY = Prompt(system="apology")
_BEEP = Prompt(system="beep")


def filled(
    prompts: tuple[Prompt, ...], values: Mapping[str, Value], language: str
) -> tuple[Prompt, ...]:
    """Prompts ready to be heard, without those that say nothing; KeyError for an unknown name.

    A prompt of the library without a sound says nothing: no flow is published with one, but a call
    may be in a version that was published before.
    """
    ready = []
    for prompt in prompts:
        if not prompt.text:
            if prompt.sha256 or prompt.system:
                ready.append(prompt)
        elif text := templates.fill(prompt.text, values):
            ready.append(replace(prompt, text=text, language=prompt.language or language))
    return tuple(ready)


def speak(turn: Turn, prompts: tuple[Prompt, ...]) -> bool:
    """Plays a node's prompts; False when there is nothing to hear in them."""
    ready = filled(prompts, text_values(turn.at), turn.flow.language)
    if ready:
        turn.command(PlayPrompts(turn.new_operation(Purpose.PROMPT), ready))
    return bool(ready)


def ask(turn: Turn, node: Menu | Gather | Consent) -> None:
    """Puts a node's question, after the correction if a wrong answer came before."""
    prompts = (node.wrong if turn.at.corrected else ()) + node.spoken
    ready = filled(prompts, text_values(turn.at), turn.flow.language) or (_BEEP,)
    if isinstance(node, Gather):
        digits = (node.max_digits, node.next_digit_timeout_ms, node.end_key)
    else:
        digits = (1, node.timeout_ms, "")
    max_digits, next_digit_timeout_ms, end_key = digits
    turn.command(
        GatherDigits(
            operation=turn.new_operation(Purpose.PROMPT),
            prompts=ready,
            max_digits=max_digits,
            first_digit_timeout_ms=node.timeout_ms,
            next_digit_timeout_ms=next_digit_timeout_ms,
            end_key=end_key,
            barge_in=node.barge_in,
        )
    )


def play_music(turn: Turn, node: Enqueue) -> None:
    """What is heard while waiting; the gateway's own music if the flow's has just failed."""
    ready: tuple[Prompt, ...] = ()
    if not turn.at.failed_in_a_row:
        ready = _known((node.music,), turn)
    _wait(turn, node, ready or (_MUSIC,), Purpose.MUSIC)


def say_next_message(turn: Turn, node: Enqueue) -> None:
    """The next message of the queue, unless it would name what is not known."""
    stay = turn.stay
    message = node.messages[stay.messages_said % len(node.messages)]
    turn.change(stay=replace(stay, messages_said=stay.messages_said + 1))
    ready = _known(message, turn)
    if not ready:
        return
    if stay.expected_wait_ms >= 0 and any(_tells_wait(prompt) for prompt in message):
        turn.effect(AnnounceWait(stay.entry_id))
    turn.note("queue-message", queue=stay.queue_id, text=_for_record(message, ready))
    _wait(turn, node, ready, Purpose.MESSAGE)


def say_agent_lost(turn: Turn, node: Enqueue) -> bool:
    """That the agent is gone and the place is not; False where there are no words for it."""
    return _say_in_queue(turn, node, agent_lost(turn.flow.language))


def say_delay(turn: Turn, node: Enqueue) -> bool:
    """That a place takes longer than usual; False where there are no words for it."""
    return _say_in_queue(turn, node, delay(turn.flow.language))


def _say_in_queue(turn: Turn, node: Enqueue, words: str) -> bool:
    if words:
        turn.note("queue-message", queue=turn.stay.queue_id, text=words)
        _wait(turn, node, (Prompt(text=words, language=turn.flow.language),), Purpose.MESSAGE)
    return bool(words)


def say_farewell(turn: Turn, message: str) -> None:
    """What a closed queue has to say."""
    prompt = Prompt(text=message, language=turn.flow.language)
    turn.command(PlayPrompts(turn.new_operation(Purpose.FAREWELL), (prompt,)))


def play_ringback(turn: Turn) -> None:
    """What is heard while a number outside rings; by whom is handed on, the queue's music."""
    node = turn.node
    ready = _music_of(turn, node) if isinstance(node, Enqueue) else (_RINGBACK,)
    turn.command(PlayPrompts(turn.new_operation(Purpose.RINGBACK), ready, loop=True))


def _music_of(turn: Turn, node: Enqueue) -> tuple[Prompt, ...]:
    """A queue's music for somebody who is in no queue at present."""
    if turn.at.failed_in_a_row:
        return (_MUSIC,)
    try:
        return filled((node.music,), text_values(turn.at), turn.flow.language) or (_MUSIC,)
    except KeyError:
        return (_MUSIC,)  # it would name a place


def apologise(turn: Turn) -> None:
    """The last words, from the gateway's own store."""
    turn.command(PlayPrompts(turn.new_operation(Purpose.APOLOGY), (_APOLOGY,)))
    turn.change(stage=Stage.APOLOGISING, give_up_at_ms=turn.now_ms + APOLOGY_LIMIT_MS)


def _known(prompts: tuple[Prompt, ...], turn: Turn) -> tuple[Prompt, ...]:
    try:
        return filled(prompts, queue_values(turn.flow, turn.at), turn.flow.language)
    except KeyError:
        return ()  # silence about what is not known; the music goes on


def _for_record(message: tuple[Prompt, ...], ready: tuple[Prompt, ...]) -> str:
    """What was said; as it was written where it names more than the queue, which may be secret."""
    named = frozenset[str]().union(*(templates.names(prompt.text) for prompt in message))
    return " ".join(prompt.text for prompt in (ready if named <= QUEUE_NAMES else message)).strip()


def _tells_wait(prompt: Prompt) -> bool:
    return bool(templates.names(prompt.text) & {"queue_message", "expected_wait_minutes"})


def _wait(turn: Turn, node: Enqueue, prompts: tuple[Prompt, ...], purpose: Purpose) -> None:
    music = purpose is Purpose.MUSIC
    operation = turn.new_operation(purpose)
    if not node.leave_key:
        turn.command(PlayPrompts(operation, prompts, loop=music))
        return
    turn.command(
        GatherDigits(
            operation=operation,
            prompts=prompts,
            max_digits=1,
            first_digit_timeout_ms=0 if music else MESSAGE_DIGIT_TIMEOUT_MS,
            loop=music,
        )
    )
