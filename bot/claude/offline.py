"""A model without a network, used when there is no API key.

Rule: nobody may take it for Claude, and nothing is made up. It identifies itself and
echoes the request. The same request always gets the same answer.
"""

import asyncio
import html
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from bot.domain.completion import Report, Request
from bot.errors import ModelError
from bot.messages import offline as texts
from bot.messages import phrases

NAME = "offline"

# Seconds per word: about thirty words a second, as Claude's smaller models stream.
PACE = 0.03

# Characters per token, roughly: there is no tokenizer.
TOKEN_CHARS = 4

QUOTE_CHARS = 600
PROMPT_CHARS = 200

# The tags around a message; anything else is read as plain text. Such a tag cannot be
# written inside of another one, so the search for its end stops there.
_MESSAGE = re.compile(
    r'<message\b((?:[^"<>]|"[^"<]*+")*+)>((?:[^<]|<(?!/?message\b))*+)</message>'
)
_NOTE = re.compile(r"<note\b[^<>]*+>(?:[^<]|<(?!/?note\b))*+</note>\s*+")
_AUTHOR = re.compile(r'\bauthor="([^"]*+)"')
_FILE = re.compile(r"^\(attached: (.+?)(?:; [^;\n]*)?\)$", re.MULTILINE)
_WORD = re.compile(r"\S++\s*+|\s++")
_LONG = re.compile(r"\blong\b", re.IGNORECASE)
_MARKS = re.compile(r"[*_`~<>|]")


class CannotSort(ModelError):
    """A classification was requested, which only Claude can do."""

    user_text = texts.CANNOT_SORT


class OfflineModel:
    """`Model` that identifies itself as not Claude and echoes the request."""

    def __init__(
        self,
        pace: float = PACE,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        #: Seconds per word.
        self._pace = pace
        self._sleep = sleep

    async def answer(self, request: Request) -> AsyncGenerator[str | Report, None]:
        """Echo the request, word by word, at no cost. Raises CannotSort for a request
        with a schema: a guess must not pass for Claude's answer."""
        if request.schema:
            raise CannotSort(texts.CANNOT_SORT_LOG)
        whole = _answer(request)
        text = whole[: request.max_tokens * TOKEN_CHARS]
        yield Report(NAME, calls=())
        for word in _WORD.findall(text):
            await self._sleep(self._pace)
            yield word
        reason = "end_turn" if text == whole else "max_tokens"
        yield Report(NAME, stop_reason=reason, calls=())

    async def count(self, request: Request) -> int:
        """Return an estimate of the tokens of the prompt."""
        texts = [request.system, *(each.content for each in request.messages)]
        return -(-sum(map(len, texts)) // TOKEN_CHARS)


@dataclass(frozen=True, slots=True)
class _Message:
    author: str
    text: str


def _answer(request: Request) -> str:
    asked = [each.content for each in request.messages if each.role == "user"]
    messages = [message for content in asked for message in _messages(content)]
    last = messages[-1] if messages else _Message("", "")
    parts = [
        texts.NOT_CLAUDE,
        texts.last_message_of(author=_bold(last.author))
        if last.author
        else texts.SAID_LAST,
        _quoted(last.text),
        _given(request, turns=len(asked), messages=messages),
    ]
    if _LONG.search(last.text):
        parts.append(LONG)
    else:
        parts.append(texts.ASK_FOR_LONG)
    return "\n\n".join(parts)


def _messages(content: str) -> list[_Message]:
    """Return the messages in one entry of the conversation, without their tags."""
    labelled = _MESSAGE.findall(content)
    if not labelled:
        return [_Message("", _NOTE.sub("", content).strip())]
    return [
        _Message(html.unescape(author[1]) if author else "", text.strip())
        for label, text in labelled
        for author in [_AUTHOR.search(label)]
    ]


def _quoted(text: str) -> str:
    if len(text) > QUOTE_CHARS:
        text = text[:QUOTE_CHARS] + "…"
    return "\n".join(f"> {line}".rstrip() for line in (text or "…").splitlines())


def _bold(name: str) -> str:
    # Names are chosen freely: Markdown in one would format what follows.
    bare = _MARKS.sub("", name)
    return f"**{bare}**"


def _given(request: Request, *, turns: int, messages: list[_Message]) -> str:
    files = [name for message in messages for name in _FILE.findall(message.text)]
    prompt = " ".join(request.system.split())
    if len(prompt) > PROMPT_CHARS:
        prompt = prompt[:PROMPT_CHARS] + "…"
    lines = [
        texts.CLAUDE_READS,
        "",
        texts.messages_in_turns(
            messages=_count(messages, "message"), turns=_count(range(turns), "turn")
        ),
        texts.files(files=", ".join(files) or phrases.NONE),
        texts.instructions(prompt=prompt or phrases.NONE),
        texts.model(model=request.model, tokens=request.max_tokens),
    ]
    if request.effort:
        lines.append(texts.effort(effort=request.effort))
    return "\n".join(lines)


def _count(things: list[_Message] | range, name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _long() -> str:
    """Return about 6,000 characters with parts that are hard to split."""
    code = "\n".join(
        f"    {bottles:2}: '{bottles} green bottles, hanging on the wall',"
        for bottles in range(60, 0, -1)
    )
    rows = "\n".join(
        f"| {number} | {number**2} | {number**3} | {'█' * number} |"
        for number in range(1, 21)
    )
    filler = texts.FILLER
    return "\n\n".join(
        [
            texts.LONG_ANSWER,
            " ".join([filler] * 6),
            texts.LONG_CODE,
            f"```python\nVERSES = {{\n{code}\n}}\n```",
            texts.LONG_TABLE,
            f"| n | square | cube | bar |\n|--:|--:|--:|:--|\n{rows}",
            texts.LONG_TEXT,
            "\n\n".join(f"{nth}. {filler} {filler}" for nth in range(1, 6)),
            texts.LONG_END,
        ]
    )


#: Appended if the message contains "long".
LONG = _long()
