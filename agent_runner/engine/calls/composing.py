"""What is sent next: the conversation so far and our next turn, or a conversation begun anew.

What was sent before is sent again word for word, or the provider's cache misses it. Where the whole
would take more than `prompt.max_tokens`, what was looked at first gives way: much of it at once and
seldom, since the cache begins anew each time.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

from attrs import evolve, frozen

from agent_runner.engine.calls.clients import Provider
from agent_runner.engine.calls.conversation import Conversation, Turn, spoken
from agent_runner.engine.calls.first_message import FirstMessage, Sources
from agent_runner.engine.calls.tool_answers import (
    NO_MORE_LOOKS,
    brief_of,
    may_be_dropped,
    requests_of,
)
from agent_runner.ground.tokens import Ruler
from agent_runner.looking.dialect import as_text
from agent_runner.model.agent import Message, Prompt, ToolSpec
from agent_runner.model.conversation import Replaced
from agent_runner.model.events import ConversationClosed, Fact, Trimmed
from agent_runner.model.evolve.calls import conversation_closed
from agent_runner.model.record import STUCK, TaskRecord
from agent_runner.model.settings import ConversationRule, Settings
from agent_runner.model.task import Task
from agent_runner.prompts.build import DROPPED, answer_to_show, room_left
from agent_runner.prompts.corrections import after_failure, not_applied, note_on_unusable
from agent_runner.prompts.turns import size_of, to_replace, with_replaced

_NEWEST = 3
"""Turns that are never shortened: what the model is working with."""


_NOT_SHOWN = "[not shown any more: {}; ask again if needed]"

_SHOWN_BEFORE = "You have been shown these before: there is nothing new in them."

_NOTHING_DRAFTED = (
    "Nothing was drafted, and no change was found in your reply. Draft the change with the tools,"
    " then reply without a call. If nothing has to be changed, reply with one line, `NO CHANGE"
    " NEEDED: why`."
)

_BLOCKS_IGNORED = (
    "[the edits in your text were not taken, as you asked for more: draft them, or send them again"
    " in your last reply]"
)


@frozen
class Composed:
    """A prompt, and what of it is new.

    Attributes:
        new: The messages that no call before sent.
        after: The call whose answer they follow; "": they begin a conversation.
        in_words, replaced: As in `StoredRequest`.
        facts: What became of the conversation, to be journaled.
        renewed: Whether system text and tools are others than before.
    """

    prompt: Prompt
    new: tuple[Message, ...]
    after: str = ""
    in_words: int = 0
    replaced: tuple[Replaced, ...] = ()
    facts: tuple[Fact, ...] = ()
    renewed: bool = True


@frozen(slots=False)  # `cached_property` wants a `__dict__`
class Composing:
    """The making of one prompt. `is_new`: it is the first of its attempt."""

    sources: Sources
    task: Task
    record: TaskRecord
    settings: Settings
    provider: Provider
    attempt: int
    is_new: bool

    def composed(self) -> Composed:
        """The conversation with our next turn; else one that begins with a first message."""
        if self.provider.client.capabilities.in_place or not self._continues:
            return self._with_note(self._fresh())
        earlier, closed = self._earlier()
        if earlier is None:
            return self._with_note(self._begun_anew(closed) if closed else self._fresh())
        composed = self._continued(earlier)
        return self._with_note(composed or self._shortened(earlier))

    @property
    def _continues(self) -> str:
        """The call whose conversation goes on; "": none does."""
        if not self.provider.client.capabilities.continues:
            return ""
        call = self.record.call
        if not self.is_new:
            return call.continues or ""
        goes_on = self.settings.conversation is ConversationRule.CONTINUE
        stuck = self.record.counts.no_progress >= STUCK
        return (call.judged or "") if goes_on and not stuck else ""

    def _earlier(self) -> tuple[Conversation | None, str]:
        """All that was said so far; else None, and why it cannot go on, "" for no reason to say."""
        last, task = self._continues, self.task
        conversations, attempt = self.sources.conversations, self.record.counts.attempts
        earlier = conversations.up_to(task.id, attempt, last)
        if earlier is None:
            turn = conversations.turn(task.id, attempt, last)
            in_place = turn is not None and turn.response.edits is not None
            return None, "" if in_place else "its earlier turns are not as they were sent"
        if earlier.definition not in {"", task.definition}:
            return None, "the task was changed in the list"
        return earlier, ""

    def _continued(self, earlier: Conversation) -> Composed | None:
        """The conversation so far and our answer to its last turn; None where there is no room."""
        new = self._clean(self._answer(earlier))
        renewed = self._renewed(earlier)
        system, tools = renewed or (earlier.system, earlier.tools)
        ruler, most = self._ruler, self.settings.prompt.max_tokens
        messages = (*earlier.messages, new)
        in_words = len(messages)  # all, where it is offered no tools
        if tools:
            in_words = earlier.foreign(self.provider.name, self.provider.model)
        whole = Prompt(system, spoken(messages, in_words), tools)
        size = ruler.prompt(whole)
        replaced: tuple[Replaced, ...] = ()
        facts: tuple[Fact, ...] = ()
        if size > most:
            beside = size - size_of(whole.messages, ruler)
            candidates = tuple(self._old_looks(earlier))
            replaced = to_replace(messages, candidates, most // 2 - beside, ruler)
            messages = with_replaced(messages, replaced)
            whole = evolve(whole, messages=spoken(messages, in_words))
            left = ruler.prompt(whole)
            if left > most:
                return None
            facts = (Trimmed(earlier.calls[-1], len(replaced), size, left),)
        after, changed = earlier.calls[-1], renewed is not None
        return Composed(whole, (new,), after, in_words, replaced, facts, changed)

    def _renewed(self, earlier: Conversation) -> tuple[str, tuple[ToolSpec, ...]] | None:
        """System text and tools for another model, or one that takes no tools; else None."""
        asked = (self.provider.name, self.provider.model)
        if earlier.speakers[-1] == asked and (self._first.native or not earlier.tools):
            return None
        anew = self._cleaned(self._first.prompt())
        return anew.system, anew.tools

    def _shortened(self, earlier: Conversation) -> Composed:
        """A conversation that begins with a first message made anew, in the room that is left.

        For one that has no room for our next turn, although all that may be is left out of it.
        """
        messages = (*earlier.messages, self._clean(self._answer(earlier)))
        words = spoken(messages, len(messages))
        prompt = self._first.prompt(words[1:])
        prompt = evolve(prompt, messages=(self._clean(prompt.messages[0]), *prompt.messages[1:]))
        closed = ConversationClosed("it has no room for more")
        return Composed(self._cleaned(prompt), prompt.messages, facts=(closed,))

    def _fresh(self) -> Composed:
        prompt = self._cleaned(self._first.prompt())
        return Composed(prompt, prompt.messages)

    def _begun_anew(self, why: str) -> Composed:
        """A conversation in which nothing of the one before is said, nor counts."""
        call = self.record.call
        closed = ConversationClosed(why, drafts_dropped=bool(call.drafted or call.corrected))
        first = self._first_of(conversation_closed(closed, self.record))
        prompt = self._cleaned(first.prompt())
        return Composed(prompt, prompt.messages, facts=(closed,))

    def _answer(self, earlier: Conversation) -> Message:
        """Our turn after the last one of the agent's."""
        record, last = self.record, earlier.calls[-1]
        room = self.settings.prompt.max_tokens
        if last == record.call.judged:
            return after_failure(record, self.attempt, room, self._ruler)
        turn = self._turn(last)
        # first whether it was rejected: that an earlier one was without a change says nothing of
        # what was looked at since
        if last in record.call.corrected and record.change.missing:
            return Message("user", f"{_NOTHING_DRAFTED if earlier.tools else record.feedback}\n")
        looked = turn is not None and (turn.response.tool_calls or turn.reply.looks)
        if looked and last not in record.call.corrected:
            return self._answered(last)
        if turn is None or last in record.call.corrected or not turn.reply.asks:
            return not_applied(record.feedback)
        left = room_left(Prompt(earlier.system, earlier.messages), room, self._ruler)
        shown = self._first.shown(turn.reply.asks)
        answer = answer_to_show(shown, self._first.looks_left, left, self._ruler)
        earlier_turns = map(self._turn, earlier.calls[:-1])
        again = any(one is not None and one.reply.asks == turn.reply.asks for one in earlier_turns)
        return with_notes(answer, [_SHOWN_BEFORE] if again else [])

    def _answered(self, call: str) -> Message:
        """What the tools answered; nothing beside it, which some protocols forbid."""
        answers = self.sources.tool_answers.answered(self.task, self.record, call).answers
        turn = self._turn(call)
        notes = [_BLOCKS_IGNORED] if turn is not None and turn.reply.edits else []
        if self.record.counts.last_look:
            notes.append(NO_MORE_LOOKS)
        if turn is not None and not turn.response.tool_calls:
            return with_notes(Message("user", as_text(requests_of(turn), answers)), notes)
        return with_notes(Message("user", "", answers=answers), notes)

    def _old_looks(self, earlier: Conversation) -> Iterator[Replaced]:
        """What was looked at, oldest first, but for the newest turns: with what says so instead."""
        for call, at in list(earlier.places)[:-_NEWEST]:
            turn, ours = self._turn(call), at + 1
            if turn is None or ours >= len(earlier.messages):
                continue
            message = earlier.messages[ours]
            looked = turn.reply.asks or turn.reply.looks
            if looked and not message.answers and message.text != DROPPED:
                yield Replaced(ours, None, DROPPED)
            for number, answer in enumerate(message.answers):
                text = _NOT_SHOWN.format(brief_of(earlier.messages[at].calls[number]))
                shown = may_be_dropped(answer.name) and not answer.is_error
                if shown and len(answer.text) > len(text):
                    yield Replaced(ours, number, text)

    def _with_note(self, composed: Composed) -> Composed:
        """The question, and at its end why it is asked again; all before stays word for word."""
        record = self.record
        if self.is_new or record.call.unusable is None:
            return composed
        turn = self._turn(record.call.unusable)
        note = note_on_unusable(
            turn.response.finish if turn else None,
            times=record.counts.unusable_replies,
            cap=self.settings.max_output_tokens,
            tool=bool(turn and turn.response.tool_calls) and not composed.prompt.tools,
        )
        noted = with_notes(composed.new[-1], [note])
        prompt = composed.prompt
        return evolve(
            composed,
            prompt=evolve(prompt, messages=(*prompt.messages[:-1], noted)),
            new=(*composed.new[:-1], noted),
        )

    def _turn(self, call: str) -> Turn | None:
        conversations = self.sources.conversations
        return conversations.turn(self.task.id, self.record.counts.attempts, call)

    @cached_property
    def _first(self) -> FirstMessage:
        return self._first_of(self.record)

    def _first_of(self, record: TaskRecord) -> FirstMessage:
        turns = 0 if self.is_new else self.record.counts.turns
        return FirstMessage(
            self.sources,
            self.task,
            record,
            self.settings,
            self.provider,
            self.attempt,
            0 if self.record.counts.last_look else max(0, self.settings.prompt.max_turns - turns),
        )

    @property
    def _ruler(self) -> Ruler:
        return Ruler(self.provider.model)

    def _cleaned(self, prompt: Prompt) -> Prompt:
        clean = self.sources.redactor.text
        messages = tuple(map(self._clean, prompt.messages))
        return evolve(prompt, system=clean(prompt.system), messages=messages)

    def _clean(self, message: Message) -> Message:
        """One of our own messages without keys; the agent's are sent back as they came."""
        if message.role != "user":
            return message
        clean = self.sources.redactor.text
        answers = tuple(evolve(one, text=clean(one.text)) for one in message.answers)
        return evolve(message, text=clean(message.text), answers=answers)


def with_notes(message: Message, notes: Sequence[str]) -> Message:
    """The message with lines at its end; at that of its last answer, where there are answers."""
    if not notes:
        return message
    added = "\n".join(notes)
    if not message.answers:
        return evolve(message, text=f"{message.text}\n{added}")
    *before, last = message.answers
    last = evolve(last, text=f"{last.text.rstrip(chr(10))}\n\n{added}")
    return evolve(message, answers=(*before, last))
