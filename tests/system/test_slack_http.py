"""Slack over HTTP, with the whole program: killed, stopped and started again."""

import signal
import tempfile
from pathlib import Path

import pytest

from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.rates import UNLIMITED
from tests.support import postgres
from tests.support.deep import deep_only
from tests.support.ports import free_port, until_listening
from tests.support.process import Nursery, Process, claude_env, slack_http_env

process = pytest.mark.asyncio(loop_scope="module")

# Slack repeats for minutes; here often in a second, for as long as a start may take.
RETRIES = [0.1] * 600


async def begin(
    folder: Path,
    nursery: Nursery,
    slack: SlackEmulator,
    claude: ClaudeEmulator,
    **env: str,
) -> Process:
    """Start the program in `folder`, and have Slack post to it."""
    address = f"127.0.0.1:{free_port()}"
    whole = {
        **slack_http_env(slack),
        **claude_env(claude),
        "THREADKEEP_SLACK_HTTP": address,
        "THREADKEEP_GRACE": "5",
        **env,
    }
    process = Process(folder, whole)
    await process.start(nursery=nursery)
    await until_listening(address)
    await slack.use_http(f"http://{address}/slack/events")
    return process


@process
async def test_what_comes_while_a_process_ends_is_answered_once_by_the_next(
    tmp_path: Path, nursery: Nursery
) -> None:
    async with (
        SlackEmulator(retries=RETRIES, ack_timeout=30, rates=UNLIMITED) as slack,
        ClaudeEmulator() as claude,
    ):
        process = await begin(tmp_path, nursery, slack, claude)
        alice, general = slack.add_user("Alice"), slack.add_channel("general")
        roots: list[str] = []

        def ask(count: int) -> None:
            for _ in range(count):
                said = f"{slack.mention} question {len(roots)}"
                roots.append(slack.say(alice, general, said))

        def answers() -> list[list[str]]:
            return [
                [each.text for each in slack.thread(general, root) if each.bot]
                for root in roots
            ]

        for number in (signal.SIGKILL, signal.SIGTERM):
            begun = len(slack.deliveries)
            ask(3)
            await slack.until(
                lambda n=begun: any(each.acked for each in slack.deliveries[n:]),  # type: ignore[misc]
                30,
            )
            ask(2)
            process.kill(number)
            status = await process.ended()
            assert status == (0 if number is signal.SIGTERM else -number)
            # Nobody is there.
            ask(2)
            await process.start(nursery=nursery)
            await slack.until(lambda: slack.settled, 60)
            await slack.until(
                lambda: all(each and "…" not in each[0] for each in answers()), 60
            )
        process.kill(signal.SIGTERM)
        assert await process.ended() == 0
        assert not any(each.lost for each in slack.deliveries)
        assert [len(each) for each in answers()] == [1] * len(roots)
        assert "Traceback" not in process.output
        assert "question" not in process.output


@process
@pytest.mark.parametrize("_", deep_only("a server"))
async def test_while_the_server_of_the_database_is_away_slack_repeats(
    tmp_path: Path, nursery: Nursery, _: str
) -> None:
    with tempfile.TemporaryDirectory(prefix="threadkeep-pg-") as folder:
        directory = Path(folder)
        server = postgres.start(directory)
        database = server.of(server.create())
        async with (
            SlackEmulator(retries=RETRIES, ack_timeout=30, rates=UNLIMITED) as slack,
            ClaudeEmulator() as claude,
        ):
            at = {"THREADKEEP_DB": postgres.uri(database)}
            process = await begin(tmp_path, nursery, slack, claude, **at)
            alice, general = slack.add_user("Alice"), slack.add_channel("general")
            end(server)
            root = slack.say(alice, general, f"{slack.mention} are you there?")
            posts = slack.http.posts
            await slack.until(lambda: sum(p.status == 503 for p in posts) > 3, 60)
            server = postgres.start(directory)
            try:
                await slack.until(
                    lambda: slack.settled and len(slack.thread(general, root)) == 2, 60
                )
                process.kill(signal.SIGTERM)
                assert await process.ended() == 0
            finally:
                end(server)
            assert len(slack.thread(general, root)) == 2
            assert len(claude.questions) == 1


def end(server: postgres.Server) -> None:
    """Let a server break off what it does, and wait for its end."""
    assert server.process is not None
    server.process.send_signal(signal.SIGINT)
    server.process.wait()
