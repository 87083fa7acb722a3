"""A workspace with people, Claude, and Threadkeep between them."""

from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from bot.claude.client import connect as connect_claude
from bot.domain.scope import Scope
from bot.domain.setting import Change
from storage.store import DatabaseStore
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.slack import rates
from tests.emulators.slack.emulator import SlackEmulator
from tests.support.memory_store import MemoryStore
from tests.support.process import running
from tests.support.prompts import newest_prompts
from tests.support.scripted_model import ScriptedModel
from tests.support.store_helpers import quiet


class Office:
    """Alice and Bob in #general, and the bot that is invited there."""

    def __init__(
        self, slack: SlackEmulator, store: DatabaseStore, model: ScriptedModel
    ) -> None:
        self.slack = slack
        self.store = store
        self.model = model
        self._claude: ScriptedModel | ClaudeEmulator = model
        self.alice = slack.add_user("Alice")
        self.bob = slack.add_user("Bob")
        self.general = slack.add_channel("general")

    def ask(self, text: str, *, thread_ts: str | None = None) -> str:
        """Let Alice mention the bot in #general."""
        said = f"{self.slack.mention} {text}".strip()
        return self.slack.say(self.alice, self.general, said, thread_ts=thread_ts)

    def replies(self, thread_ts: str, channel: str = "") -> list[str]:
        """Return the current texts of the bot's messages in a thread."""
        seen = self.slack.thread(channel or self.general, thread_ts)
        return [each.text for each in seen if each.bot]

    async def answered(self, thread_ts: str, *texts: str, channel: str = "") -> None:
        """Wait until the bot's messages in a thread read exactly `texts`."""
        await self.slack.until(
            lambda: self.replies(thread_ts, channel) == list(texts),
        )

    async def thinks(self, thread_ts: str, channel: str = "") -> None:
        """Wait until a thread shows that an answer comes, and no message yet."""
        where = channel or self.general
        await self.slack.until(lambda: self.slack.status(where, thread_ts))
        assert self.replies(thread_ts, channel) == []

    async def settled(self, thread_ts: str, count: int = 1) -> list[str]:
        """Wait until a thread has `count` finished replies, and they are stored, unless
        Claude is still writing; return them."""
        await self.slack.until(
            lambda: (
                len(now := self.replies(thread_ts)) == count
                and not any(is_unfinished(each) for each in now)
            ),
        )
        await quiet(self.store, self._claude, thread_ts)
        return self.replies(thread_ts)

    async def quiet(self) -> None:
        """Wait until all that was asked is answered, and that is stored."""
        await quiet(self.store)

    async def show_all(self) -> None:
        """Have code and tables of answers shown whole, however long they are."""
        here = Scope("slack", self.slack.team, self.general)
        never = Change(here, "attach_lines", "0")
        await self.store.change_settings([never], who=self.alice, now=1.0)

    def prompts(self) -> list[str]:
        """Return the newest user entry of each request to Claude."""
        return [each.messages[-1].content for each in self.model.requests]


class ApiOffice(Office):
    """An office with Claude's API, for tests of what reaches it or comes from it."""

    def __init__(
        self, slack: SlackEmulator, store: DatabaseStore, claude: ClaudeEmulator
    ) -> None:
        super().__init__(slack, store, ScriptedModel())
        self.claude = self._claude = claude

    def prompts(self) -> list[str]:
        return newest_prompts(self.claude)


def is_unfinished(text: str) -> bool:
    """Return whether `text` shows that more follows."""
    return text == "_Thinking…_" or text.endswith(" …")


@pytest.fixture
def store() -> DatabaseStore:
    """A store in memory; a test that reads the file has its own."""
    return MemoryStore()


@pytest.fixture
async def own_office(store: DatabaseStore) -> AsyncIterator[Office]:
    """The office in a workspace that no other test shares."""
    model = ScriptedModel()
    async with SlackEmulator() as slack, running(slack, store, model, grace=0.2):
        yield Office(slack, store, model)


@pytest.fixture
def office(own_office: Office) -> Office:
    """The office in a workspace of its own; many modules replace it by
    `shared_office`."""
    return own_office


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def open_workspace() -> AsyncIterator[Office]:
    """The office in the workspace that tests of a module share. It has no rate limits,
    which the tests would reach together."""
    store, model = MemoryStore(), ScriptedModel()
    async with (
        SlackEmulator(rates=rates.UNLIMITED) as slack,
        running(slack, store, model, grace=0.2, unlimited=True),
    ):
        yield Office(slack, store, model)


@pytest_asyncio.fixture(loop_scope="module")
async def shared_office(open_workspace: Office) -> AsyncIterator[Office]:
    """The shared office as a test finds it: with Alice, Bob and #general of its own,
    and nothing said or done. The test may not change the workspace, and answers must
    end before it does."""
    open_workspace.slack.forget_records()
    open_workspace.model.begin_anew()
    office = Office(open_workspace.slack, open_workspace.store, open_workspace.model)
    yield office
    await office.quiet()
    await office.slack.until(lambda: office.slack.settled)


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Run tests with a shared office on the event loop of their module, like the bot
    there."""
    for item in items:
        if "open_workspace" in getattr(item, "fixturenames", ()):
            loop = pytest.mark.asyncio(loop_scope="module")
            item.add_marker(loop, append=False)


@pytest.fixture
async def api_office(store: DatabaseStore) -> AsyncIterator[ApiOffice]:
    async with (
        SlackEmulator() as slack,
        ClaudeEmulator() as claude,
        connect_claude(claude.api_key, claude.base_url) as model,
        running(slack, store, model, grace=0.2),
    ):
        yield ApiOffice(slack, store, claude)
