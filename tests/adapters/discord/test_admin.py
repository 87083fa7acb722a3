"""Admins change settings in Discord, and the settings take effect, end to end."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot.domain.scope import Scope
from storage.store import DatabaseStore
from tests.adapters.discord.conftest import Guild, begun_anew
from tests.adapters.discord.test_troubles import answering
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.interactions import Asked
from tests.emulators.discord.people import Seen

pytestmark = pytest.mark.asyncio(loop_scope="module")

PIRATE = "Answer like a pirate."
SORRY = "Sorry, only admins can change settings"


class Town(Guild):
    """A guild with Ada, who administers it, and a second channel."""

    def __init__(
        self, discord: DiscordEmulator, claude: ClaudeEmulator, store: DatabaseStore
    ) -> None:
        super().__init__(discord, claude, store)
        self.ada = discord.add_user("Ada", admin=True)
        self.random = discord.add_channel("random")

    @property
    def channel(self) -> Scope:
        return Scope("discord", self.discord.guild, self.general)

    async def told(self, asked: Asked) -> Seen:
        """Wait for what somebody is told."""

        def said() -> Seen | None:
            message = asked.response.message if asked.response else None
            return None if message is None or message.thinking else message

        seen = await self.discord.until(said)
        assert seen is not None
        return seen

    async def give(
        self, name: str, user: str = "", place: str = "", **options: Any
    ) -> Seen:
        """Let Ada, or `user`, give a command in #general, or `place`."""
        user, place = user or self.ada, place or self.general
        return await self.told(self.discord.command(user, place, name, **options))

    async def form(self, asked: Asked) -> Asked:
        """Wait for the form that answers `asked`."""
        await self.discord.until(lambda: asked.response and asked.response.modal)
        return asked

    async def submit(self, form: Asked, values: dict[str, Any], user: str = "") -> Seen:
        """Send a form off."""
        sent = self.discord.submit(user or self.ada, form, values)
        return await self.told(sent)

    async def set_prompt(self, text: str, place: str = "", user: str = "") -> Seen:
        """Let Ada, or `user`, set a prompt in the form."""
        user, place = user or self.ada, place or self.general
        asked = self.discord.command(user, place, "claude prompt set")
        return await self.submit(await self.form(asked), {"prompt": text}, user)

    async def asked(self, question: str, place: str = "") -> dict[str, Any]:
        """Let Alice ask in a new thread; what Claude was asked then."""
        thread = await self.thread_of(self.mention(question, place))
        await self.settled(thread)
        await self.quiet()
        bodies = [each.body for each in self.claude.requests]
        return dict(next(b for b in reversed(bodies) if question in str(b)))


@contextlib.asynccontextmanager
async def towns(store: DatabaseStore) -> AsyncIterator[Town]:
    """A town in which nobody answers yet."""
    async with DiscordEmulator() as discord, ClaudeEmulator() as claude:
        yield Town(discord, claude, store)


@pytest.fixture
async def fresh_town(store: DatabaseStore) -> AsyncIterator[Town]:
    """A town that no other test shares."""
    async with (
        towns(store) as town,
        answering(town.discord, town.claude, town.store),
    ):
        yield town


@pytest_asyncio.fixture(loop_scope="module")
async def town(open_guild: Guild) -> AsyncIterator[Town]:
    """The shared guild with people and channels of the test's own."""
    own = Town(open_guild.discord, open_guild.claude, open_guild.store)
    async with begun_anew(own) as town:
        yield town


async def test_a_channels_prompt_is_set_in_a_form(town: Town) -> None:
    asked = town.discord.command(town.ada, town.general, "claude prompt set")
    form = await town.form(asked)
    assert form.response is not None
    assert form.response.modal is not None
    [_, prompt, _] = form.response.modal["components"]
    assert prompt["component"]["value"] == "Be brief."
    saved = await town.submit(form, {"prompt": PIRATE})
    assert saved.text.startswith(f"Saved for <#{town.general}>:")
    assert saved.ephemeral_for == town.ada
    assert PIRATE in str((await town.asked("who are you?"))["system"])
    there = await town.asked("and here?", town.random)
    assert PIRATE not in str(there["system"])


async def test_a_form_says_where_it_applies_and_what_is_spent(town: Town) -> None:
    await town.give("claude budget", period="month", value="200", where="workspace")
    asked = town.discord.command(town.ada, town.general, "claude budget")
    form = (await town.form(asked)).response
    assert form is not None
    assert form.modal is not None
    assert form.modal["title"] == "Budget · #general"
    about, day, _ = form.modal["components"]
    assert about["content"] == (
        f"For <#{town.general}>. Spent: $0.00 today, $0.00 this month. "
        "The server's own budget of $200.00 a month counts as well."
    )
    assert day["description"] == "$ per day (UTC). Leave empty for no limit here."
    assert day["component"]["placeholder"] == "5.00"


async def test_a_form_in_a_thread_asks_which_place_is_meant(town: Town) -> None:
    thread = await town.thread_of(town.mention("hello"))
    await town.settled(thread)
    asked = town.discord.command(town.ada, thread, "claude model")
    form = await town.form(asked)
    assert form.response is not None
    assert form.response.modal is not None
    where = form.response.modal["components"][1]["component"]
    values = [each["value"] for each in where["options"]]
    assert values == ["thread", "channel", "workspace"]
    saved = await town.submit(form, {"model": ["claude-opus-5-5"]})
    assert saved.text.startswith(f"Saved for <#{town.general}>:")
    asked = town.discord.command(town.ada, thread, "claude model")
    form = await town.form(asked)
    chosen = {"where": ["thread"], "model": ["claude-haiku-5-5"]}
    saved = await town.submit(form, chosen)
    assert saved.text.startswith("Saved for this thread:")


async def test_the_place_chosen_in_a_form_needs_its_own_right(town: Town) -> None:
    role = town.discord.add_role("keepers", town.bob)
    allow = ["manage_channels"]
    town.discord.set_permissions(town.general, role=role, allow=allow)
    thread = await town.thread_of(town.mention("hello"))
    await town.settled(thread)
    asked = town.discord.command(town.bob, thread, "claude model")
    form = await town.form(asked)
    assert form.response is not None
    assert form.response.modal is not None
    where = form.response.modal["components"][1]["component"]
    assert [each["value"] for each in where["options"]] == ["thread", "channel"]
    texts = {"where": "workspace", "model": "opus"}
    custom_id = form.response.modal["custom_id"]
    forged = town.discord.forge_form(town.bob, thread, custom_id, texts)
    assert (await town.told(forged)).text.startswith(SORRY)


async def test_a_change_is_undone_by_whom_may_and_only_once(town: Town) -> None:
    saved = await town.set_prompt(PIRATE)
    [undo] = saved.buttons
    forged = town.discord.forge(town.alice, town.general, undo)
    assert (await town.told(forged)).text.startswith(SORRY)
    pressed = town.discord.click(town.ada, saved.id, undo)
    await town.discord.until(lambda: pressed.response)
    assert pressed.response is not None
    assert pressed.response.type == 7
    assert await town.store.list_settings(town.channel) == []
    again = town.discord.forge(town.ada, town.general, undo)
    told = await town.told(again)
    assert told.text.startswith(("**Not undone:**", "No change"))


async def test_a_channels_prompt_is_set_by_a_file(town: Town) -> None:
    text = "Be a librarian. " + "Know this: " * 1_000
    file = ("prompt.txt", b"\xef\xbb\xbf" + text.encode())
    saved = await town.give("claude prompt set", file=file, where="channel")
    assert saved.text.startswith(f"Saved for <#{town.general}>:")
    assert "Be a librarian." in str((await town.asked("who are you?"))["system"])
    # By now it is too long for an input.
    told = await town.give("claude prompt set")
    assert told.files == ("prompt.txt",)
    assert "`/claude prompt set file:`" in told.text
    shown = await town.give("claude prompt show", town.alice)
    assert shown.files == ("prompt.txt",)
    assert shown.ephemeral_for == town.alice


async def test_a_member_is_denied_politely_and_that_is_noted(town: Town) -> None:
    told = await town.give("claude prompt set", town.alice)
    assert told.text.startswith(SORRY)
    assert told.ephemeral_for == town.alice
    assert "claude-admin" not in town.discord.commands(town.alice, town.general)
    # Even a client that shows it all the same.
    asked = town.discord.command(
        *(town.alice, town.general, "claude-admin set"),
        stale=True,
        option="footer",
        value="on",
    )
    assert (await town.told(asked)).text.startswith(SORRY)
    refused = await town.store.refusals(town.channel, 0.0, 10)
    assert sum(each.count for each in refused) == 2
    assert {each.who for each in refused} == {town.alice}


async def test_a_role_may_where_an_overwrite_says_so(town: Town) -> None:
    role = town.discord.add_role("keepers", town.bob)
    allow = ["manage_channels"]
    town.discord.set_permissions(town.general, role=role, allow=allow)
    saved = await town.set_prompt(PIRATE, user=town.bob)
    assert saved.text.startswith(f"Saved for <#{town.general}>:")
    told = await town.give("claude prompt set", town.bob, town.random)
    assert told.text.startswith(SORRY)
    told = await town.give("claude prompt set", town.bob, where="workspace")
    assert told.text.startswith(SORRY)
    thread = await town.thread_of(town.mention("hello"))
    await town.settled(thread)
    set_ = await town.give(
        "claude-admin set", town.bob, thread, option="follow", value="off"
    )
    assert set_.text.startswith("Saved for this thread:")


async def test_a_setting_is_changed_from_the_list_of_settings(town: Town) -> None:
    panel = await town.give("claude settings", view="all")
    assert "**Settings of this channel**" in panel.text
    [menu] = [
        each for each in panel.buttons if "where=channel" in each and "option" in each
    ]
    asked = town.discord.select(town.ada, panel.id, menu, ["footer"])
    saved = await town.submit(await town.form(asked), {"footer": ["on"]})
    assert "**Footer**: on" in saved.text
    panel = await town.give("claude settings", town.alice, view="all")
    assert f"**Footer**: on · this channel, set by <@{town.ada}>" in panel.text
    assert not any("option" in each for each in panel.buttons)
    assert town.discord.pings == []


async def test_who_may_ask_is_chosen_among_people_and_roles(town: Town) -> None:
    role = town.discord.add_role("friends")
    panel = await town.give("claude settings", view="all")
    [menu] = [
        each for each in panel.buttons if "where=channel" in each and "option" in each
    ]
    asked = town.discord.select(town.ada, panel.id, menu, ["who"])
    saved = await town.submit(await town.form(asked), {"who": [town.bob, role]})
    assert f"<@{town.bob}> <@&{role}>" in saved.text
    again = town.discord.select(town.ada, panel.id, menu, ["who"])
    saved = await town.submit(await town.form(again), {"who": [town.discord.guild]})
    assert "everyone" in saved.text


async def test_in_direct_messages_nobody_changes_anything(town: Town) -> None:
    direct = town.discord.open_dm(town.ada)
    told = await town.give("claude prompt set", place=direct)
    assert told.text.startswith(SORRY)
    panel = await town.give("claude settings", place=direct)
    assert "**Settings of this thread**" in panel.text
    assert town.discord.commands(town.ada, direct) == ["ask", "claude", "triage"]
