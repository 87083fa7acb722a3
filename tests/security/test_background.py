"""An unexpected exception ends only its own task: both platforms continue, and no text
of people reaches the log."""

import ast
import asyncio
import gc
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from adapters.discord import global_rate_limit
from adapters.discord.adapter import DiscordAdapter
from adapters.discord.app_commands import BROKEN, Commands
from adapters.discord.global_rate_limit import GlobalRateLimiter
from adapters.discord.message_listener import MessageListener
from adapters.discord.messages import DiscordMessenger
from adapters.discord.surface import DiscordSurface
from adapters.discord.threads import ThreadResolver
from adapters.slack import events, interactions, surface
from adapters.slack.adapter import SlackAdapter
from adapters.slack.client import SlackClient
from adapters.slack.interactions import Interactions
from adapters.slack.messages import SlackMessenger
from adapters.slack.surface import SlackSurface
from bot.conversation.old_controls import OldControls
from bot.conversation.responder import Responder
from bot.delivery import write_scheduler
from bot.delivery.write_request import Priority, WriteRequest
from bot.domain.platform import Limits, Rate, RateLimitScope, WriteKind
from bot.domain.scope import ThreadKey
from bot.errors import AccessRevoked, ConfigError, DeliveryError, Unacceptable
from bot.listening import MOST_STARTS
from bot.ports.host import Host
from bot.runtime import background
from bot.runtime.background import Background
from bot.triage.chat.classifier import Classifier
from tests.security.houses import Houses, thread
from tests.security.town import PATIENCE, PLATFORMS, SECRET, Town, built, served
from tests.support import code
from tests.support.deep import rounds
from tests.support.fakes import FakeAdapter
from tests.support.memory_store import MemoryStore
from tests.support.process import OPERATOR, count_connections
from tests.support.triage_requests import sorted_as

ROOT = Path(__file__).parent.parent.parent
CODE = ("bot", "adapters", "storage")

#: What makes a task, a callback or a thread that nobody need wait for.
MAKERS = {
    *("create_task", "ensure_future", "gather", "run_coroutine_threadsafe"),
    *("call_later", "call_at", "call_soon", "call_soon_threadsafe", "Thread"),
}

#: Where that is right: what is made there is awaited there, or it is the rule itself.
ALLOWED = {
    ("bot/runtime/background.py", "_start"): "the rule itself",
    ("bot/runtime/background.py", "later"): "the rule itself",
    ("bot/runtime/background.py", "finish"): "waits there, whatever happens",
    ("bot/app.py", "_run"): "waits there for the signal to stop, which cannot fail",
    (
        "bot/conversation/answer_writer.py",
        "write",
    ): "a TaskGroup: writing ends with the turn",
    ("bot/conversation/responder.py", "_answer"): "waits there for two reads at once",
    (
        "bot/conversation/stream.py",
        "read",
    ): "a TaskGroup: reading ends with the turn",
    (
        "bot/triage/bulk/concurrent.py",
        "classify",
    ): "a TaskGroup of workers that catch everything",
    (
        "bot/triage/bulk/concurrent.py",
        "_sleep_unless_stopped",
    ): "waits there for whichever comes first",
    (
        "bot/conversation/file_reader.py",
        "read",
    ): "a TaskGroup: files are read before their turn goes on",
    ("bot/triage/bulk/estimate.py", "one"): "a command that fails as a whole",
    ("bot/triage/bulk/estimate.py", "estimate"): "a command that fails as a whole",
    ("bot/cli/triage_run.py", "sort"): "waits there, so that Ctrl-C can cancel it",
    ("bot/triage/chat/commands.py", "_classify"): "a command that fails as a whole",
    ("bot/cli/mcp.py", "check_servers"): "a command that fails as a whole",
    ("adapters/discord/live.py", "_session"): "a command that ends with its session",
    ("adapters/discord/client.py", "connect"): "waits there; `close` for the gateway",
    (
        "adapters/discord/interaction_responses.py",
        "await_or_defer",
    ): "waits there, after 1.5 s as well",
    (
        "adapters/slack/interactions.py",
        "_promptly",
    ): "waits there, or in what goes on late",
    (
        "adapters/slack/adapter.py",
        "_connect",
    ): "waits there, or until Slack turns away",
    ("adapters/slack/http_events.py", "_dispatch"): "Bolt contains what goes on late",
    ("adapters/slack/name_cache.py", "_learn_all"): "one look-up; each catches its own",
    ("adapters/slack/renewing.py", "renew"): "waits there; each catches its own",
    ("adapters/discord/name_cache.py", "_find"): "one look-up; each catches its own",
    ("adapters/discord/rest_guilds.py", "_all_of"): "one look-up; raises what one does",
    ("adapters/discord/backlog.py", "_work_off"): "each tries until it succeeds",
    ("storage/engine/worker.py", "_work"): "waits there; it only stops the worker",
    ("storage/postgres/pool.py", "_fill_soon"): "what it calls catches what fails",
    ("storage/postgres/pool.py", "_tell"): "hands results over, and cannot fail",
    ("storage/writer.py", "__init__"): "the thread that writes; its loop catches all",
    ("storage/writer.py", "_run"): "hands results over, and cannot fail",
}

#: What starts work under the rule, each with the name of that work.
STARTERS = {"start", "begin", "held", "later", "Notices", "_start_work", "_begin"}

ERRORS = (RuntimeError, ValueError, RecursionError, MemoryError)


def calls(names: Collection[str]) -> Iterator[tuple[str, str, ast.Call]]:
    """Yield every call of `names` in our code: file, function, and the call."""
    for folder in CODE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = code.tree(path)
            for node in code.of_kind(tree, ast.Call):
                called = node.func
                if getattr(called, "attr", getattr(called, "id", "")) in names:
                    yield str(path.relative_to(ROOT)), _around(node, tree), node


def _around(call: ast.Call, tree: ast.Module) -> str:
    """Return the name of the innermost function that holds `call`; "" if none does."""
    functions: list[ast.FunctionDef | ast.AsyncFunctionDef] = [
        *code.of_kind(tree, ast.FunctionDef),
        *code.of_kind(tree, ast.AsyncFunctionDef),
    ]
    around = [e for e in functions if e.lineno <= call.lineno <= (e.end_lineno or 0)]
    return max(around, key=lambda each: each.lineno).name if around else ""


@code.WALKS
def test_nothing_starts_outside_the_rule() -> None:
    assert {(file, where) for file, where, _ in calls(MAKERS)} == set(ALLOWED)


def kinds() -> set[str]:
    """Return the names of all work that runs under the rule."""
    return {
        argument.value
        for file, _, call in calls(STARTERS)
        if file != "bot/runtime/background.py"
        for argument in call.args[:2]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        if argument.value
    }


# What is thrown into which work, and what begins that work.

Trigger = Callable[[Town, str], Awaitable[object]]


@dataclass(frozen=True)
class Fault:
    """A place on a platform where one kind of work fails."""

    kind: str
    platform: str
    #: What that work calls.
    owner: type
    method: str
    trigger: Trigger


FAULTS: list[Fault] = []


def fault(
    kind: str, owner: type, method: str, *platforms: str
) -> Callable[[Trigger], Trigger]:
    """Let the decorated function begin the work called `kind`."""

    def added(trigger: Trigger) -> Trigger:
        for platform in platforms or PLATFORMS:
            FAULTS.append(Fault(kind, platform, owner, method, trigger))
        return trigger

    return added


@fault("lane", Responder, "answer_next")
async def question(town: Town, platform: str) -> None:
    town.ask(platform)


@fault("announce", SlackSurface, "announce", "slack")
@fault("announce", DiscordSurface, "announce", "discord")
@fault("status", SlackClient, "call", "slack")
@fault("type", ThreadResolver, "reach", "discord")
@fault("renew status", SlackClient, "call", "slack")
async def long_thought(town: Town, platform: str) -> None:
    thinks_for_a_while(town, "Found.")
    town.ask(platform)


def thinks_for_a_while(town: Town, text: str) -> None:
    """Have the answer to the next question, and its triage, take some time."""
    gate = asyncio.Event()
    for _ in range(2):
        town.model.script(gate, text)
    asyncio.get_running_loop().call_later(0.3, gate.set)


@fault("notice", SlackMessenger, "mark", "slack")
@fault("notice", DiscordMessenger, "mark", "discord")
@fault("unmark", SlackMessenger, "unmark", "slack")
@fault("unmark", DiscordMessenger, "unmark", "discord")
async def second_question(town: Town, platform: str) -> None:
    asked = len(town.model.requests)
    thinks_for_a_while(town, "First.")
    thread = town.ask(platform)
    await town.until(lambda: len(town.model.requests) > asked)
    # The first request may be its triage, which needs no thread.
    await town.until(lambda: town.is_open(platform, thread))
    town.ask(platform, thread=thread, who="Bob")


@fault("greet", SlackMessenger, "post", "slack")
@fault("greet", DiscordMessenger, "post", "discord")
async def first_contact(town: Town, platform: str) -> None:
    alice = town.who(platform)
    if platform == "slack":
        town.slack.open_home(alice, tab="messages")
    else:
        town.discord.say(alice, town.discord.open_dm(alice), "hello")


@fault("instruction", SlackMessenger, "post", "slack")
@fault("instruction", DiscordMessenger, "post", "discord")
async def instruction(town: Town, platform: str) -> None:
    thread = town.ask(platform)
    await town.until(lambda: "Understood." in town.replies(platform, thread))
    town.ask(platform, "why", thread=thread)


@fault("triage", Classifier, "classify")
async def ticket(town: Town, platform: str) -> None:
    town.say(platform)


@fault("draw the home tab", SlackClient, "call", "slack")
async def home(town: Town, platform: str) -> None:
    town.slack.open_home(town.who(platform))


@fault("settle a form", SlackClient, "call", "slack")
async def setting_at_home(town: Town, platform: str) -> None:
    olga, slack = town.who(platform, "Olga"), town.slack
    slack.open_home(olga)
    await town.until(lambda: slack.page(olga) and slack.settled)
    page = slack.page(olga)
    assert page is not None
    slack.press_in(page, olga, "Edit answers")
    await town.until(lambda: slack.modal(olga))
    slack.submit(olga, {"effort": "low"})


@fault("tidy", OldControls, "_remove_before")
async def answer(town: Town, platform: str) -> None:
    thread = town.ask(platform)
    await town.until(lambda: "Understood." in town.replies(platform, thread))
    # The controls of the first go when the second is answered.
    town.ask(platform, thread=thread)


@fault("look up a fact", SlackClient, "call", "slack")
@fault("command", SlackClient, "call", "slack")
async def command_by_mention(town: Town, platform: str) -> None:
    town.ask(platform, "settings")


@fault("triage a message", Interactions, "_publish", "slack")
async def menu_of_a_message(town: Town, platform: str) -> None:
    town.model.script(sorted_as())
    said = town.ask(platform, f"see {SECRET}")
    await town.until(lambda: town.replies(platform, said))
    bob, channel = town.who(platform, "Bob"), town.channel(platform, said)
    town.slack.shortcut(bob, channel, said, interactions.TRIAGE)


@fault("publish a reply", Interactions, "_publish", "slack")
async def table(town: Town, platform: str) -> None:
    await _sort_a_channel(town)


@fault("reply late", Interactions, "_publish", "slack")
async def slow_table(town: Town, platform: str) -> None:
    gate, before = asyncio.Event(), len(town.model.requests)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interactions, "PROMPT", 0.1)
        await _sort_a_channel(town, gate)
        # An answer, and the sorting of it.
        await town.until(lambda: len(town.model.requests) > before + 1)
    asyncio.get_running_loop().call_later(0.4, gate.set)


async def _sort_a_channel(town: Town, *before: asyncio.Event) -> None:
    said = town.ask("slack", f"see {SECRET}")
    await town.until(lambda: "Understood." in town.replies("slack", said))
    channel, olga = town.channel("slack", said), town.who("slack", "Olga")
    town.model.script(*before, sorted_as())
    town.slack.command(olga, channel, "/claude", "triage last 1")


@fault("note feedback", SlackClient, "call", "slack")
async def thumb(town: Town, platform: str) -> None:
    thread = town.ask(platform)
    channel = town.channel(platform, thread)
    await town.until(lambda: "Understood." in town.replies(platform, thread))
    await town.until(lambda: town.slack.settled)
    [reply] = [each for each in town.slack.thread(channel, thread) if each.bot]
    town.slack.press_feedback(town.who(platform), channel, reply.ts, True)


@fault("stop an answer", Interactions, "_reply", "slack")
async def stop_of_slacks_own(town: Town, platform: str) -> None:
    town.slack.emit(
        "agent_session_stopped",
        channel=town.channel(platform),
        thread_ts="1.0",
        user=town.who(platform),
    )


@fault("look at the token", SlackClient, "identify", "slack")
async def event_of_a_revocation(town: Town, platform: str) -> None:
    town.slack.emit("tokens_revoked", tokens={"oauth": [town.who(platform)]})


#: What has a test of its own: below, in `test_ceilings` (totals), `test_fairness`,
#: `test_audit` (clean up), `unit/test_operator_alerts`, `unit/test_last_names`,
#: `storage/postgres/test_refreshes` (store refreshes), `system/test_scale_faults`
#: (correct),
#: `adapters/web/test_live_answers` (read answer), `adapters/slack/test_catching_up` or
#: `adapters/discord/test_global_rate_limit` (lease calls).
ELSEWHERE = {
    *("catch up", "note an outage"),
    *("clean up", "fetch cases", "fetch threads", "let calls out", "listen", "models"),
    *("load the model", "lease calls"),
    *("names", "operator alert", "operator alerts", "pace replies", "summary"),
    *("correct", "store refreshes"),
    *("attend", "damage", "drain", "release", "work"),
    *("totals", "loop lag", "mcp listings", "probes", "read answer", "status file"),
    *("verify a token", "watch installations"),
}


def faults() -> list[Fault]:
    """Return all faults under `make deep`, else one of each kind: which platform a task
    is for makes no difference where its errors end."""
    return rounds([*{each.kind: each for each in FAULTS}.values()], FAULTS)


@code.WALKS
def test_no_kind_of_work_is_forgotten() -> None:
    assert kinds() == {each.kind for each in FAULTS} | ELSEWHERE


def arm(
    monkeypatch: pytest.MonkeyPatch, fault: Fault, error: type[Exception]
) -> list[str]:
    """Let the work of `fault` raise `error` once; the list says that it did."""
    works, struck = getattr(fault.owner, fault.method), list[str]()

    async def fails(*arguments: Any, **more: Any) -> Any:
        task = asyncio.current_task()
        if not struck and task is not None and task.get_name() == fault.kind:
            struck.append(fault.kind)
            raise error(SECRET)
        return await works(*arguments, **more)

    monkeypatch.setattr(fault.owner, fault.method, fails)
    return struck


@pytest.mark.parametrize("error", ERRORS[: rounds(1, 4)])
async def test_an_unforeseen_error_costs_one_task(
    error: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    # However long it takes on a busy machine, a reply is prompt.
    monkeypatch.setattr(interactions, "PROMPT", PATIENCE)
    monkeypatch.setattr(surface, "RENEWAL", 0.05)
    caplog.set_level(logging.INFO)
    store = MemoryStore()
    async with built() as town:
        for platform in PLATFORMS:
            await town.set(store, platform, "auto_triage", "on")
            await town.set(store, platform, "feedback", "on")
        async with served(town, store):
            # The first answer takes longer, and a fault may miss what begins within it.
            for platform in PLATFORMS:
                await town.answers(platform)
            await town.quiet(store)
            for each in faults():
                with monkeypatch.context() as patch:
                    struck = arm(patch, each, error)
                    await each.trigger(town, each.platform)
                    await town.until(lambda struck=struck: struck)  # type: ignore[misc]
                    town.model.begin_anew()
                    # Otherwise the next kind of work shows that all goes on.
                    for platform in rounds((), PLATFORMS):
                        await town.answers(platform)
                await town.quiet(store)
                assert not town.task.done(), each
            for platform in PLATFORMS:
                await town.answers(platform)
    assert caplog.text.count(f"at={error.__name__}(") >= len(faults())
    silent(caplog, capfd)


def silent(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """See that nobody's words were logged, and nothing printed."""
    assert SECRET not in caplog.text
    assert "Traceback" not in caplog.text
    assert "Traceback" not in capfd.readouterr().err


# What is begun once, by the clock, or by the platforms' own libraries.


async def test_a_look_at_models_that_fails_costs_the_look_alone(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async def survey() -> None:
        raise RuntimeError(SECRET)

    houses = Houses(OPERATOR, survey=survey)
    async with houses.open():
        await logged(caplog, "task=models at=RuntimeError(")
        for platform in PLATFORMS:
            await houses.ask(thread(platform))
            await houses.answered(thread(platform))
    silent(caplog, capfd)


async def logged(caplog: pytest.LogCaptureFixture, words: str) -> None:
    """Wait until `words` are in the log."""
    async with asyncio.timeout(PATIENCE):
        while words not in caplog.text:  # noqa: ASYNC110 - a log tells nobody
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_listener_that_fails_is_started_again(
    platform: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    owner: Any = {"slack": SlackAdapter, "discord": DiscordAdapter}[platform]
    runs: Any = owner.run
    errors: list[Exception] = [RuntimeError(SECRET), MemoryError(SECRET)]

    def connections() -> int:
        """Return the number of connections ever opened: a closed one may seem open for
        a while."""
        return count_connections(town.slack if platform == "slack" else town.discord)

    async def run(self: Any, host: Any) -> None:
        if not errors:
            await runs(self, host)
            return
        # It fails while it listens, and not before.
        before = connections()
        listening = asyncio.create_task(runs(self, host))
        await town.until(lambda: connections() > before)
        listening.cancel()
        await asyncio.wait({listening})
        raise errors.pop()

    monkeypatch.setattr(owner, "run", run)
    async with built() as town, served(town, MemoryStore(), sleep=sleep):
        await town.until(lambda: not errors)
        # Discord repeats nothing that was said before somebody listened again.
        await town.until(lambda: connections() > 2)
        for each in PLATFORMS:
            await town.answers(each)
    assert pauses == [1.0, 2.0]
    silent(caplog, capfd)


class Deaf:
    """Both platforms, of which some fail whenever they are listened to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *platforms: str) -> None:
        async def sleep(seconds: float) -> None:
            await asyncio.sleep(0)

        self.houses = Houses(OPERATOR, sleep=sleep)
        #: How often some platform was listened to in vain.
        self.tries = 0
        for platform in platforms:
            adapter = self.houses.adapters[platform]
            monkeypatch.setattr(adapter, "run", partial(self._run, adapter))

    async def _run(self, adapter: FakeAdapter, host: Host) -> None:
        if not adapter.listening.done():
            adapter.listening.set_result(host)
        self.tries += 1
        raise ValueError(SECRET)


async def test_a_listener_that_always_fails_is_given_up_and_the_other_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    deaf = Deaf(monkeypatch, "slack")
    async with deaf.houses.open():
        await logged(caplog, "app.turned_away")
        await deaf.houses.ask(thread("discord"))
        await deaf.houses.answered(thread("discord"))
    assert deaf.tries == MOST_STARTS
    assert "platform=slack Listening to slack failed" in caplog.text
    assert SECRET not in caplog.text


async def test_when_both_listeners_are_given_up_the_process_ends_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deaf = Deaf(monkeypatch, *PLATFORMS)

    async def until_given_up() -> None:
        async with deaf.houses.open() as houses:
            while houses.app.platforms.active:  # noqa: ASYNC110
                await asyncio.sleep(0)

    with pytest.raises(ConfigError, match="Listening to"):
        await asyncio.wait_for(until_given_up(), PATIENCE)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the messages that were logged as errors."""
    return [
        each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR
    ]


async def test_a_timer_of_the_pacing_that_fails_is_called_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(background, "REPEAT_AFTER", 0.01)
    rate = Rate(count=1, seconds=0.2, scope=RateLimitScope.THREAD)
    paced = write_scheduler.WriteScheduler(
        Limits(part_chars=100, rates={WriteKind.POST: (rate,)}), time.monotonic
    )
    thread = ThreadKey("fake", "w", "c", "t")
    failures: list[Exception] = [RuntimeError(SECRET), RecursionError(SECRET)]
    grants = paced._budget.grant

    def grant(now: float) -> Any:
        if asyncio.current_task() is None and failures:
            raise failures.pop()
        return grants(now)

    monkeypatch.setattr(paced._budget, "grant", grant)

    async def write(reply: str) -> None:
        await paced.may_write(
            WriteRequest(reply, thread, WriteKind.POST, Priority.FIRST, 0.0)
        )
        paced.write_completed(reply)

    # Both ask at once, so that the second one has to wait for the timer.
    async with asyncio.timeout(60):
        await asyncio.gather(write("first"), write("second"))
    assert failures == []
    assert SECRET not in caplog.text


async def test_a_timer_of_the_rate_limiter_that_fails_is_called_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(background, "REPEAT_AFTER", 0.01)
    monkeypatch.setattr(global_rate_limit, "SECONDS", (0.05,))
    through, failures = GlobalRateLimiter._grant, [MemoryError(SECRET)]

    def let_through(self: GlobalRateLimiter) -> None:
        if asyncio.current_task() is None and failures:
            raise failures.pop()
        through(self)

    monkeypatch.setattr(GlobalRateLimiter, "_grant", let_through)
    gate = GlobalRateLimiter()
    async with asyncio.timeout(60):
        for _ in range(2 * global_rate_limit.MOST):
            await gate.acquire()
    assert failures == []
    assert SECRET not in caplog.text


async def test_what_a_library_leaves_is_logged_without_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loop = asyncio.get_running_loop()

    async def fails() -> None:
        raise RuntimeError(SECRET)

    with background.watched(loop):
        task = asyncio.ensure_future(fails())
        await asyncio.wait({task})
        del task
        gc.collect(0)
        loop.call_soon(lambda words: 1 / 0, SECRET)
        await asyncio.sleep(0)
        loop.call_exception_handler({"message": f"Odd <Handle {SECRET}>"})
    assert [line.split("(")[0] for line in lines(caplog)] == [
        "task.failed task=library at=RuntimeError",
        "task.failed task=library at=ZeroDivisionError",
        "loop.failed Odd",
    ]
    assert SECRET not in caplog.text


@pytest.mark.parametrize("error", ERRORS[: rounds(1, 4)])
async def test_an_event_that_cannot_be_taken_in_costs_the_event(
    error: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """An error in a listener, which slack_bolt and discord.py call, costs only its
    event."""
    struck: list[str] = []
    async with built() as town, served(town, MemoryStore()):
        for owner, method, trigger, platforms in (
            (events, "read", lambda: town.ask("slack"), PLATFORMS),
            (MessageListener, "received", lambda: town.ask("discord"), PLATFORMS),
            (
                MessageListener,
                "deleted",
                lambda: town.discord.delete(town.say("discord")),
                ("discord",),
            ),
            (Commands, "_on_submit", lambda: press_a_button(town), ("discord",)),
        ):
            original = getattr(owner, method)

            def fails(*arguments: Any, _called: str = method) -> Any:
                struck.append(_called)
                raise error(SECRET)

            with monkeypatch.context() as patch:
                patch.setattr(owner, method, fails)
                trigger()
                await town.until(lambda method=method: method in struck)  # type: ignore[misc]
            assert original is getattr(owner, method)
            for platform in platforms:
                await town.answers(platform)
        pressed = town.pressed
        await town.until(lambda: pressed.response and pressed.response.message)
        assert pressed.response is not None
        assert pressed.response.message is not None
        assert pressed.response.message.text == BROKEN
    assert f"task=take in an event at={error.__name__}(" in caplog.text
    silent(caplog, capfd)


def press_a_button(town: Town) -> None:
    """Let Alice press the button below the last answer in Discord."""
    [message] = [each for each in town.discord.messages(town.thread) if each.bot]
    button, *_ = message.buttons
    town.pressed = town.discord.click(town.who("discord"), message.id, button)


# The rule itself.


async def test_leaving_waits_for_all_and_an_error_cancels_all() -> None:
    done: list[str] = []

    async def work(name: str, seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
            done.append(name)
        except asyncio.CancelledError:
            done.append(f"{name} cancelled")
            raise

    async with Background() as tasks:
        tasks.start("a", work("a", 0.01))
        tasks.start("b", work("b", 0.02))
    assert done == ["a", "b"]
    done.clear()

    async def fail() -> None:
        async with Background() as tasks:
            tasks.start("c", work("c", 60))
            await asyncio.sleep(0)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert done == ["c cancelled"]


async def test_a_platform_that_is_left_keeps_nothing_running() -> None:
    """And what is started for it later does not begin; nor is it left unawaited."""
    refused: list[tuple[str, AccessRevoked]] = []
    began: list[str] = []

    async def work(name: str, error: Exception | None = None) -> None:
        began.append(name)
        if error is not None:
            raise error
        await asyncio.sleep(60)

    revoked = AccessRevoked("set a new token")

    def refuse(platform: str, error: AccessRevoked) -> None:
        refused.append((platform, error))
        tasks.leave(platform)

    async with Background(refuse) as tasks:
        here = tasks.start("here", work("here"), platform="one")
        there = tasks.start("there", work("there"), platform="two")
        group = ExceptionGroup("both", [ValueError(SECRET), revoked])
        tasks.start("revoked", work("revoked", group), platform="one")
        await asyncio.wait({here})
        assert here.cancelled()
        assert not there.done()
        late = tasks.start("late", work("late"), platform="one")
        await asyncio.wait({late})
        tasks.cancel()
    assert refused == [("one", revoked)]
    assert began == ["here", "there", "revoked"]


async def test_our_own_errors_are_told_in_their_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for error in (DeliveryError("HTTP 500"), ConfigError(SECRET), Unacceptable(SECRET)):
        background.report("work", error)
    assert "task.failed task=work HTTP 500" in caplog.messages
    assert SECRET not in caplog.text
