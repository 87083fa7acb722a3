"""The types of the API's requests and responses, and the checks of requests. Pure.

Rule: the description of the API (`api_description`) and the checks both come from the
types here, so that they cannot differ.
"""

import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from adapters.web.context import Refused
from bot.domain.answer_options import AnswerOptions
from bot.domain.api_thread import AnswerSoFar, ApiMessage, ApiThread
from bot.domain.receipt import Receipt
from bot.messages import web_api as texts

T = TypeVar("T")

#: The longest message, in characters.
MOST_CHARS = 100_000
#: The longest body of a request, in bytes: the longest texts, with each character
#: written as two escapes.
MOST_BYTES = 12 * (MOST_CHARS + 20_000) + 10_000

ID = r"^[A-Za-z0-9_-]{1,64}$"
# Text without control characters other than tabs and line breaks.
_PLAIN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
# The field in a path that msgspec reports, such as $.stop_sequences[0].
_FIELD = re.compile(r"\$\.([a-z_]{1,40})")
_UNKNOWN = re.compile(r"unknown field `([^`]{1,40})`")
_MISSING = re.compile(r"missing required field `([^`]{1,40})`")

Text = Annotated[
    str,
    Meta(
        min_length=1, max_length=MOST_CHARS, pattern=r"\S", description="The message."
    ),
]
Thread = Annotated[
    str, Meta(pattern=ID, description="The thread to go on in; a new one without it.")
]
Model = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        description="A model, by id or family, in place of that of the thread.",
        examples=["claude-haiku-4-5", "opus"],
    ),
]
System = Annotated[
    str,
    Meta(
        max_length=20_000,
        pattern=_PLAIN,
        description="Instructions that follow the system prompt of the channel.",
    ),
]
Tokens = Annotated[
    # JSON has no separate integers, so 64.0 is accepted.
    float,
    Meta(
        ge=1,
        le=128_000,
        multiple_of=1,
        extra_json_schema={"type": "integer"},
        description="The length limit of the answer, at most that of the channel.",
    ),
]
Stops = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]],
    Meta(max_length=8, description="Texts at which the answer ends."),
]


class ChatRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message, and what it asks of its answer."""

    message: Text
    thread: Thread | None = None
    model: Model | None = None
    system: System | None = None
    max_tokens: Tokens | None = None
    stop_sequences: Stops | None = None

    @property
    def options(self) -> AnswerOptions:
        """The options for the answer, as the request names them."""
        system = self.system or ""
        return AnswerOptions(
            self.model or "",
            system if system.strip() else "",
            None if self.max_tokens is None else int(self.max_tokens),
            tuple(self.stop_sequences or ()),
        )


class ThreadRow(msgspec.Struct, frozen=True):
    """A thread in a list."""

    id: str
    title: str
    #: The name of the token that began it.
    owner: str
    turns: int
    #: Seconds since 1970.
    created: float


class ThreadList(msgspec.Struct, frozen=True):
    """Some threads, the newest first; `next` is the value of `before` for more."""

    threads: list[ThreadRow]
    next: int | None


class MessageRow(msgspec.Struct, frozen=True):
    """A message of a person or program, or an answer."""

    id: str
    role: Annotated[str, Meta(pattern="^(user|assistant)$")]
    author: str
    text: str
    at: float


class ThreadPage(msgspec.Struct, frozen=True):
    """A thread with its newest messages, oldest first."""

    id: str
    title: str
    owner: str
    created: float
    #: Whether an answer in the thread is still expected.
    answering: bool
    messages: list[MessageRow]


class Stopped(msgspec.Struct, frozen=True):
    """The result of a stop: whether an answer was in progress."""

    stopped: bool


class Problem(msgspec.Struct, frozen=True):
    """An error: a word for programs, and a sentence for people."""

    code: str
    message: str


class Delta(msgspec.Struct, frozen=True, omit_defaults=True):
    """The next piece of the answer. With `replace`, the text is all of it: what was
    sent before is void. The first one names the thread and has no text."""

    text: str
    replace: bool = False
    thread: str = ""


class ReceiptEvent(msgspec.Struct, frozen=True):
    """The model, tokens and cost of an answer."""

    turn: str
    model: str
    effort: str
    prompt_version: int | None
    attempts: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    #: None if the price is unknown; an upper bound if `bounded`.
    usd: float | None
    bounded: bool


class Done(msgspec.Struct, frozen=True):
    """The answer is complete, or was stopped."""

    thread: str
    turn: str
    ended: Annotated[str, Meta(pattern="^(done|stopped)$")]
    stop_reason: str
    #: The note below the answer.
    note: str


_RULES = {
    "message": texts.A_MESSAGE,
    "thread": texts.A_THREAD,
    "model": texts.A_MODEL,
    "system": texts.A_SYSTEM,
    "max_tokens": texts.TOKENS_RULE,
    "stop_sequences": texts.STOPS_RULE,
}
_CHAT = msgspec.json.Decoder(ChatRequest)
_ENCODER = msgspec.json.Encoder()


def chat_request(body: bytes) -> ChatRequest:
    """Return the request in `body`. Raises Refused with a sentence that says what is
    wrong."""
    try:
        return _CHAT.decode(body)
    except msgspec.ValidationError as error:
        raise _refusal(str(error)) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise Refused(400, "malformed_json", texts.NOT_JSON) from None


def _refusal(problem: str) -> Refused:
    if unknown := _UNKNOWN.search(problem):
        return Refused(
            400, "invalid_field", texts.unknown_field(name=_name(unknown[1]))
        )
    found = _FIELD.search(problem) or _MISSING.search(problem)
    rule = _RULES.get(found[1]) if found else None
    if found is None or rule is None:
        return Refused(400, "invalid_body", texts.NOT_AN_OBJECT)
    return Refused(400, "invalid_field", texts.bad_field(name=found[1], rule=rule))


def _name(text: str) -> str:
    """Return the name of an unknown field, reduced to letters, digits, "_" and "-"."""
    return "".join(each for each in text if each.isalnum() or each in "_-")[:40]


def encode(value: msgspec.Struct) -> str:
    """Return `value` as JSON."""
    return _ENCODER.encode(value).decode()


def thread_row(thread: ApiThread, name: str) -> ThreadRow:
    """Return a thread, which the program called `name` began."""
    return ThreadRow(thread.thread, thread.title, name, thread.turns, thread.created)


def message_row(message: ApiMessage, name: str) -> MessageRow:
    """Return a message, whose author is called `name`; "" for an answer."""
    role = "user" if message.author else "assistant"
    return MessageRow(message.id, role, name, message.text, message.at)


def receipt_event(receipt: Receipt) -> dict[str, Any]:
    """Return the data of a receipt."""
    usage = receipt.usage
    return msgspec.to_builtins(  # type: ignore[no-any-return]
        ReceiptEvent(
            turn=receipt.turn,
            model=receipt.model,
            effort=receipt.effort,
            prompt_version=receipt.prompt.number if receipt.prompt else None,
            attempts=receipt.attempts,
            input_tokens=usage.input,
            cache_read_tokens=usage.cache_read,
            cache_write_tokens=usage.cache_write_5m + usage.cache_write_1h,
            output_tokens=usage.output,
            usd=receipt.cost,
            bounded=receipt.bounded,
        )
    )


def done_event(thread: str, answer: AnswerSoFar, note: str) -> dict[str, Any]:
    """Return the data of the end of a complete answer."""
    ended = answer.ended.value if answer.ended else ""
    done = Done(thread, answer.turn, ended, answer.stop_reason, note)
    return msgspec.to_builtins(done)  # type: ignore[no-any-return]
