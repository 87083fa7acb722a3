"""The offline model: plainly not Claude, and plainly what it was given."""

from dataclasses import replace

import pytest

from bot.claude.offline import _PYTHON, LONG, OfflineModel
from bot.context import prompt
from bot.domain.attachment import Attachment
from bot.domain.completion import ChatMessage, Report, Request, Usage
from bot.domain.message import Message
from bot.domain.scope import ThreadKey
from bot.messages.offline import TRY

ALICE = (
    "<note>It is Sunday, 22 November 2026, 12:00 UTC.</note>\n"
    '<message author="Alice &quot;Al&quot; *A*" id="U1" time="2026-11-22 12:00">'
    "Is this on?\nHello?\n(attached: plan.pdf; you cannot open files yet)</message>"
)
BOB = '<message author="Bob" id="U2" time="2026-11-22 12:01">Me too</message>'
ASK = Request(
    model="claude-sonnet-5-5",
    system="You are the bot of a choir.\n\nSing.",
    messages=(ChatMessage("user", ALICE),),
    max_tokens=4096,
)


def later(content: str) -> tuple[ChatMessage, ...]:
    """Return a thread in which `content` is what was said last."""
    said = ChatMessage("user", "Hi"), ChatMessage("assistant", "Hi.")
    return *said, ChatMessage("user", content)


class Naps:
    """Counts seconds instead of waiting for them."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def pieces(request: Request = ASK) -> list[str | Report]:
    model = OfflineModel(pace=0.05, sleep=Naps().sleep)
    return [piece async for piece in model.answer(request)]


async def text(request: Request = ASK) -> str:
    return "".join(piece for piece in await pieces(request) if isinstance(piece, str))


async def test_says_that_it_is_not_claude_and_how_to_get_claude() -> None:
    first, *_ = (await text()).splitlines()
    assert "not Claude" in first
    assert "ANTHROPIC_API_KEY" in first


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ("Hello!", "| Connect Slack or Discord | `threadkeep setup`"),
        ("What is the capital of Spain?", "```sh\nmake install\n"),
        ("Show me a table", "| Slack | mentioning it"),
        ("Write some Python", "```python\ndef longest("),
        ("What does that cost?", "| claude-haiku-5-5 | $0.0004 | $0.45 |"),
        ("What would Claude read?", "- instructions: You are the bot of a choir."),
    ],
)
async def test_shows_the_product_by_what_is_asked(question: str, shown: str) -> None:
    answer = await text(replace(ASK, messages=(ChatMessage("user", question),)))
    assert shown in answer
    assert answer.endswith(TRY)


def test_the_code_that_it_shows_is_right() -> None:
    _, code, *_ = _PYTHON.split("```")
    exec(code.removeprefix("python\n"), {})


async def test_quotes_what_was_said_last_without_its_label() -> None:
    answer = await text()
    assert 'The last message, by **Alice "Al" A**:' in answer
    assert "> Is this on?\n> Hello?\n" in answer
    assert "<message" not in answer
    assert "22 November" not in answer


async def test_counts_what_the_thread_holds() -> None:
    thread = (
        ChatMessage("user", ALICE),
        ChatMessage("assistant", "Yes."),
        ChatMessage("user", f"{BOB}\n{BOB}"),
    )
    answer = await text(replace(ASK, messages=thread))
    assert "- 3 messages in 2 turns" in answer
    assert "- files: plan.pdf" in answer
    assert "> Me too" in answer


async def test_tells_the_instructions_and_the_settings() -> None:
    answer = await text(replace(ASK, effort="low"))
    assert "- instructions: You are the bot of a choir. Sing." in answer
    assert "- model: `claude-sonnet-5-5`, at most 4096 tokens" in answer
    assert "- effort: low" in answer


async def test_long_things_are_told_by_their_beginning() -> None:
    request = replace(ASK, system="s" * 900, messages=later("t" * 900))
    answer = await text(request)
    assert f"- instructions: {'s' * 200}…\n" in answer
    assert f"> {'t' * 600}…\n" in answer


@pytest.mark.parametrize(
    "content",
    [
        "no label at all",
        '<message author="x">no end',
        "<message>no author</message>",
        "<note>only a note</note>",
        "</message>",
        "",
    ],
)
async def test_labels_may_be_missing(content: str) -> None:
    answer = await text(replace(ASK, messages=later(content)))
    assert "The last message" in answer
    assert "- 2 messages in 2 turns\n" in answer


async def test_a_long_answer_has_all_that_is_hard_to_split() -> None:
    asked = replace(ASK, messages=(ChatMessage("user", "Please, a LONG one."),))
    answer = await text(asked)
    assert answer.endswith(LONG)
    assert LONG not in await text()
    assert len(LONG) > 2 * 2_000
    # The code alone does not fit into one message of Discord.
    _, code, _ = LONG.split("```")
    assert len(code) > 2_000
    assert "| n | square |" in LONG


async def test_the_same_request_gets_the_same_answer() -> None:
    assert await pieces() == await pieces()


async def test_streams_word_by_word_at_the_pace_it_is_given() -> None:
    naps = Naps()
    model = OfflineModel(pace=0.02, sleep=naps.sleep)
    words = [piece async for piece in model.answer(ASK) if isinstance(piece, str)]
    assert naps.slept == [0.02] * len(words)
    assert max(len(word) for word in words) < 40


async def test_costs_nothing_and_ends_well() -> None:
    first, *_, last = await pieces()
    assert first == Report("offline", calls=())
    assert last == Report("offline", usage=Usage(), stop_reason="end_turn", calls=())


async def test_max_tokens_bounds_the_answer() -> None:
    request = replace(ASK, max_tokens=10)
    *_, last = await pieces(request)
    assert len(await text(request)) == 40
    assert isinstance(last, Report)
    assert last.stop_reason == "max_tokens"


@pytest.mark.parametrize("name", ["Ann", "A>B", 'A "B" C', "<message>"])
async def test_what_context_writes_is_read(name: str) -> None:
    for file in ("b.md", "a (1).png", "c; d.txt", "(attached: e).f"):
        here = ThreadKey("terminal", "w", "c", "t")
        heard = Message(
            here, "m1", 1.0, "U1", "hi", True, True, files=(Attachment(file),)
        )
        content = f"{prompt.preface(0)}\n{prompt.label(heard, name, 'hi')}"
        answer = await text(replace(ASK, messages=(ChatMessage("user", content),)))
        assert f"by **{name.strip('<>').replace('>', '')}**:" in answer, file
        assert f"- files: {file}\n" in answer, file
        assert "> hi\n" in answer, file
