"""`threadkeep setup` on a real pty, and with piped answers."""

import asyncio
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import yaml

from adapters.slack.check import OPTIONAL, SCOPES
from adapters.slack.http_events import PATH
from adapters.slack.installing import REDIRECT
from bot.cli.setup import manifest_link
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.support.process import ROOT, Nursery
from tests.support.seat import seated


def environment(*addresses: Mapping[str, str]) -> dict[str, str]:
    """Return the addresses of the platforms, without a token."""
    env = {"PATH": os.environ["PATH"], "TERM": "xterm"}
    for each in addresses:
        env |= {name: value for name, value in each.items() if "URL" in name}
    return env


async def test_tokens_are_tried_written_and_never_shown(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# mine\nTHREADKEEP_EFFORT=low\nSLACK_BOT_TOKEN=\n")
    async with ClaudeEmulator() as claude, SlackEmulator() as slack:
        env = environment(
            {"ANTHROPIC_BASE_URL": claude.base_url, "SLACK_API_URL": slack.api_url}
        )
        async with seated(("setup",), env, tmp_path) as seat:
            await seat.sees(lambda text: "ANTHROPIC_API_KEY:" in text)
            seat.type("sk-ant-wrong\n")
            await seat.sees(lambda text: "Try again" in text and _is_asking(text))
            assert file.read_text().count("=") == 2
            seat.type(f"{claude.api_key}\n")
            await seat.sees(lambda text: "SLACK_BOT_TOKEN:" in text)
            assert claude.api_key in file.read_text()
            # Leave here, and go on later.
            seat.type("\x03")
            async with asyncio.timeout(60):
                assert await seat.process.wait() == 1
            await seat.sees(lambda text: "goes on from there" in text)
            for key in ("sk-ant-wrong", claude.api_key):
                assert key not in seat.text
        async with seated(("setup",), env, tmp_path) as seat:
            await seat.sees(lambda text: "Enter keeps it" in text)
            seat.type("\n")
            await seat.sees(lambda text: "SLACK_BOT_TOKEN:" in text)
            seat.type(f"{slack.bot_token}\n")
            await seat.sees(lambda text: "SLACK_APP_TOKEN:" in text)
            seat.type(f"{slack.app_token}\n")
            await seat.sees(lambda text: "DISCORD_TOKEN:" in text)
            assert "/invite @threadkeep" in seat.text
            seat.type("\n")
            async with asyncio.timeout(60):
                assert await seat.process.wait() == 0
            assert slack.app_token not in seat.text
    assert file.read_text() == (
        "# mine\nTHREADKEEP_EFFORT=low\n"
        f"SLACK_BOT_TOKEN={slack.bot_token}\n"
        f"ANTHROPIC_API_KEY={claude.api_key}\n"
        f"SLACK_APP_TOKEN={slack.app_token}\n"
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == [".env"]


def _is_asking(text: str) -> bool:
    # Before, the terminal still shows what is typed.
    return text.rstrip().endswith("ANTHROPIC_API_KEY:")


async def piped(folder: Path, env: Mapping[str, str], text: str) -> tuple[int, str]:
    with tempfile.TemporaryDirectory() as apart:
        given, printed = Path(apart, "given"), Path(apart, "printed")
        given.write_text(text)  # noqa: ASYNC240
        async with Nursery() as nursery, asyncio.timeout(60):
            process = await nursery.fork(
                ("setup",), env, printed, folder=folder, given=given
            )
            status = await process.wait()
        return status, printed.read_text()  # noqa: ASYNC240


async def test_answers_may_be_piped_and_may_end_early(tmp_path: Path) -> None:
    async with DiscordEmulator() as discord:
        env = environment(discord.env)
        token = discord.env["DISCORD_TOKEN"]
        status, printed = await piped(tmp_path, env, f"\n\n\n{token}\n")
    assert status == 0
    assert token not in printed
    assert (tmp_path / ".env").read_text() == f"DISCORD_TOKEN={token}\n"
    lines = printed.splitlines()
    assert any(
        line.startswith("https://discord.com/oauth2/authorize?") for line in lines
    )
    assert manifest_link() in lines
    status, printed = await piped(tmp_path, env, "\n")
    assert status == 1
    assert "goes on from there" in printed


async def test_what_cannot_be_changed_here_is_said(tmp_path: Path) -> None:
    env = {**environment(), "DISCORD_TOKEN": "a.b.c"}
    status, printed = await piped(tmp_path, env, "\n\n\n")
    assert status == 0
    assert "DISCORD_TOKEN is set in the environment" in printed
    (tmp_path / ".env").write_text("garbage here\n")
    status, printed = await piped(tmp_path, env, "\n\n\n")
    assert status == 2
    assert "Line 1 of .env sets nothing" in printed


def test_the_manifest_for_http_differs_in_how_events_arrive_alone() -> None:
    folder = ROOT / "adapters" / "slack"
    sockets = yaml.safe_load((folder / "manifest.yaml").read_text())
    http = yaml.safe_load((folder / "manifest-http.yaml").read_text())
    settings, [command] = http["settings"], http["features"]["slash_commands"]
    urls = {
        command.pop("url"),
        settings["event_subscriptions"].pop("request_url"),
        settings["interactivity"].pop("request_url"),
    }
    assert [each.endswith(PATH) for each in urls] == [True]
    assert settings["socket_mode_enabled"] is False
    settings["socket_mode_enabled"] = True
    assert http == sockets


def test_the_manifest_for_many_workspaces_differs_in_what_they_need() -> None:
    folder = ROOT / "adapters" / "slack"
    http = yaml.safe_load((folder / "manifest-http.yaml").read_text())
    many = yaml.safe_load((folder / "manifest-distributed.yaml").read_text())
    [address] = many["oauth_config"].pop("redirect_urls")
    assert address.endswith(REDIRECT)
    for name in ("org_deploy_enabled", "token_rotation_enabled"):
        assert many["settings"][name] is True
        many["settings"][name] = False
    events = many["settings"]["event_subscriptions"]["bot_events"]
    for event in ("app_uninstalled", "tokens_revoked"):
        events.remove(event)
    assert many == http


def test_the_link_holds_the_manifest() -> None:
    link = manifest_link()
    query = parse_qs(urlsplit(link).query)
    manifest = yaml.safe_load(query["manifest_yaml"][0])
    assert query["new_app"] == ["1"]
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == SCOPES | OPTIONAL.keys()
    assert manifest["settings"]["socket_mode_enabled"] is True
    # Longer addresses are refused by servers in between.
    assert len(link) < 8_000
