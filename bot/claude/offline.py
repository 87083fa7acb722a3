"""A model without a network, used when there is no API key.

Rule: nobody may mistake it for Claude, and it makes nothing up. It says what it is and
demonstrates the product. Certain words in the last message choose a topic; any other
message is echoed. The same request always gets the same answer.
"""

import asyncio
import html
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from bot.claude.catalog import MODELS
from bot.domain.completion import Report, Request, RequestFile, Usage
from bot.errors import ModelError
from bot.messages import offline as texts
from bot.messages import phrases, plurals
from bot.ui.formatting import exact_usd

NAME = "offline"

# Seconds per word: about thirty words a second, as Claude's smaller models stream.
PACE = 0.03

# Characters per token, roughly: there is no tokenizer.
TOKEN_CHARS = 4

QUOTE_CHARS = 600
PROMPT_CHARS = 200

# The current models come first in the catalog.
SHOWN_MODELS = 4

# The tags around a message. Any other text is read as plain text. Such a tag cannot be
# written inside of another one, so the search for its end stops there.
_MESSAGE = re.compile(
    r'<message\b((?:[^"<>]|"[^"<]*+")*+)>((?:[^<]|<(?!/?message\b))*+)</message>'
)
_NOTE = re.compile(r"<note\b[^<>]*+>(?:[^<]|<(?!/?note\b))*+</note>\s*+")
_AUTHOR = re.compile(r'\bauthor="([^"]*+)"')
_FILE = re.compile(r"^\(attached: (.+?)(?:; [^;\n]*)?\)$", re.MULTILINE)
_WORD = re.compile(r"\S++\s*+|\s++")
# Words that ask what Claude would read.
_READ = re.compile(r"\b(?:read|reads|prompt|instructions)\b", re.IGNORECASE)
_MARKS = re.compile(r"[*_`~<>|]")


class CannotSort(ModelError):
    """A classification was requested, which only Claude can make."""

    user_text = texts.CANNOT_SORT


class OfflineModel:
    """A `Model` that says it is not Claude, and shows what Claude would read."""

    def __init__(
        self,
        pace: float = PACE,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        #: Seconds per word.
        self._pace = pace
        self._sleep = sleep

    async def answer(self, request: Request) -> AsyncGenerator[str | Report, None]:
        """Answer from a script, word by word, at no cost.

        Raises CannotSort for a request with a schema: a guess must not pass for
        Claude's answer.
        """
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

    async def count(self, request: Request, *, files: bool = False) -> int:
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
    scripted = next((text for word, text in _TOPICS if word.search(last.text)), "")
    if scripted == LONG:
        return f"{texts.NOT_CLAUDE}\n\n{LONG}"
    if scripted:
        parts = [scripted]
    elif len(messages) == 1 and not _files(messages) and not _READ.search(last.text):
        parts = [INTRO]
    else:
        parts = [
            texts.last_message_of(author=_bold(last.author))
            if last.author
            else texts.SAID_LAST,
            _quote(last.text),
            _prompt_lines(request, turns=len(asked), messages=messages),
        ]
    return "\n\n".join([texts.NOT_CLAUDE, *parts, texts.TRY])


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


def _quote(text: str) -> str:
    if len(text) > QUOTE_CHARS:
        text = text[:QUOTE_CHARS] + "…"
    return "\n".join(f"> {line}".rstrip() for line in (text or "…").splitlines())


def _bold(name: str) -> str:
    # People choose their names freely: Markdown in a name would format the text after
    # it.
    bare = _MARKS.sub("", name)
    return f"**{bare}**"


def _prompt_lines(request: Request, *, turns: int, messages: list[_Message]) -> str:
    given = [file for each in request.messages for file in each.files]
    shown = {file.name: _describe(file) for file in given if file.unread is None}
    files = [*shown.values(), *(n for n in _files(messages) if n not in shown)]
    prompt = " ".join(request.system.split())
    if len(prompt) > PROMPT_CHARS:
        prompt = prompt[:PROMPT_CHARS] + "…"
    lines = [
        texts.CLAUDE_READS,
        "",
        texts.messages_in_turns(
            messages=plurals.MESSAGES(len(messages)), turns=plurals.TURNS(turns)
        ),
        texts.files(files=", ".join(files) or phrases.NONE),
        texts.instructions(prompt=prompt or phrases.NONE),
        texts.model(model=request.model, tokens=request.max_tokens),
    ]
    if request.effort:
        lines.append(texts.effort(effort=request.effort))
    return "\n".join(lines)


def _describe(file: RequestFile) -> str:
    kilobytes = f"{-(-file.size // 1_000):,}"
    name, kind = _MARKS.sub("", file.name), file.kind.value
    return texts.given_file(file=name, kind=kind, kilobytes=kilobytes)


def _files(messages: list[_Message]) -> list[str]:
    return [name for message in messages for name in _FILE.findall(message.text)]


def _long() -> str:
    """Return about 6,000 characters, with parts that are hard to split."""
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


#: The answer to a message that contains "long".
LONG = _long()

_SHELL = """\
```sh
make install
.venv/bin/threadkeep setup
make run
```"""
_PYTHON = """\
```python
def longest(words: list[str]) -> str:
    # Of two that are equally long, the first.
    return max(words, key=len, default="")


assert longest(["thread", "keep"]) == "thread"
```"""
_COMMANDS = """\
```sh
threadkeep ask "what is wrong here?" < error.log
threadkeep triage tickets.csv -o sorted.csv --budget 1
```"""

#: The answer to the first message of a thread, unless a topic matches.
INTRO = "\n\n".join([texts.INTRO, texts.NEXT, texts.SET_UP, _SHELL])

# The typical usage of an answer in a short thread, for the table of prices.
_USUAL = Usage(input=2_000, output=500)


def _prices() -> str:
    rows = [
        f"| {facts.id} | {exact_usd(cost)} | {exact_usd(1_000 * cost)} |"
        for facts in list(MODELS.values())[:SHOWN_MODELS]
        for cost in [facts.tariffs[-1].of(_USUAL)]
    ]
    return "\n".join([texts.COST_HEAD, "|:--|--:|--:|", *rows])


# The answers by words in the question. The first match counts.
_TOPICS = (
    (re.compile(r"\blong\b", re.IGNORECASE), LONG),
    (re.compile(r"\btables?\b", re.IGNORECASE), texts.TABLE),
    (
        re.compile(r"\b(?:code|python|function|script)\b", re.IGNORECASE),
        "\n\n".join([texts.CODE, _PYTHON, texts.CODE_TOO, _COMMANDS]),
    ),
    (
        re.compile(r"\b(?:costs?|prices?|budgets?|cheap)\b", re.IGNORECASE),
        "\n\n".join([texts.COST, _prices(), texts.BUDGETS]),
    ),
)
