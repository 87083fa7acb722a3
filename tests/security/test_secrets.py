"""No token is printed, whatever variable it is in, and written files are readable by
their owner only."""

import asyncio
import itertools
import logging
import os
import re
import sqlite3
import stat
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.config import DiscordConfig
from adapters.slack.config import SlackConfig
from bot.cli import environment
from bot.cli.exposed_files import exposures
from bot.config import Config
from bot.domain.finding import Grade
from bot.domain.scope import Scope
from bot.domain.setting import Change
from bot.domain.triage_case import TriageCase
from bot.errors import ConfigError
from bot.runtime.logs import Redacting
from bot.runtime.private_files import open_private
from bot.text.redaction import is_credential, quote
from bot.triage.bulk import writer
from storage.backup import back_up
from storage.export import write_table
from storage.opening import open_store
from storage.triage_archive import open_archive
from tests.security.remains import in_bytes, in_tables
from tests.support.deep import rounds, share
from tests.support.process import ROOT, Nursery
from tests.support.store_helpers import HERE, exchange, said
from tests.system.test_commands import MISTAKE, Shell

# Shapes of credentials, none of them real. `CORE` is in each: the part that must not
# be seen anywhere, in whatever way the rest is quoted, escaped or cut.
CORE = "Zq7Jk2Xw9Lm4Vb6T"
TOKENS = {
    "slack bot": f"xoxb-1234567890-1234567890-{CORE}{CORE}",
    "slack user": f"xoxp-12345678-{CORE}",
    "slack app": f"xapp-1-A012345-1234567890-{CORE}{CORE}{CORE}",
    "slack refresh": f"xoxe.xoxp-1-{CORE}{CORE}",
    "slack rotated": f"xoxe-1-{CORE}{CORE}",
    "anthropic": f"sk-ant-api03-{CORE}-{CORE}_{CORE}AA",
    "discord": f"MTA1{CORE}MTIz.GaBcDe.{CORE}{CORE}abcdef",
    "hexadecimal": "deadbeef" * 5,
    "base64": f"{CORE}+/{CORE}/{CORE}==",
    "base64 for addresses": f"{CORE}_{CORE}{CORE}",
    "a url": f"https://operator:{CORE}@127.0.0.1:1/path",
    "a socket": f"wss://operator:{CORE}@127.0.0.1:1/",
    "a token as the host": f"https://xoxb-{CORE.lower()}{CORE.lower()}/",
    "a url without its port": f"https://operator:{CORE}@127.0.0.1:port/",
}
SHOWN = {"hexadecimal": "deadbeefdeadbeef", "a token as the host": CORE.lower()}

VARIABLES = re.findall(
    r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE
)


def core(kind: str) -> str:
    """Return the part of a token of this kind that must not appear."""
    return SHOWN.get(kind, CORE)


# What people are told of values.


@pytest.mark.parametrize("kind", TOKENS)
def test_no_token_is_quoted(kind: str) -> None:
    for around in ("{}", " {}\n", "'{}'", "x={}", "see {} there"):
        assert core(kind) not in quote(around.format(TOKENS[kind])), around


def test_what_people_mistype_is_quoted() -> None:
    for value in (
        *("gpt-5", "claude-sonnet-4-5-20250929", "ten", "2O", "-1", "1e9", "nan"),
        *("slack:U0123ABC", "general", "#general", "10000000", "sometimes", ""),
        *("http//localhost:8080", "Alice", "user:U0123ABCDE", "temperature=0.5"),
    ):
        assert quote(value) == f"“{value}”"


def test_what_is_long_is_not_quoted() -> None:
    assert quote("correct horse battery staple " * 3) == "this text of 86 characters"


def test_what_is_no_credential_is_not_taken_for_one() -> None:
    for value in (
        *("claude-sonnet-5-5", "Meta-Llama-3.1-70B-Instruct", "data/threadkeep.db"),
        "us.anthropic.claude-sonnet-4-20250514-v1:0",
        "/var/lib/threadkeep/conversations-of-2026.db",
        *("https://proxy.example.com/v1", "You are a kind assistant.", "4096"),
    ):
        assert not is_credential(value), value


@settings(max_examples=rounds(20, 2_000))
@given(st.text("abcXYZ019-_+/.=@: \n", max_size=200))
def test_whatever_is_quoted_is_short_and_on_one_line(value: str) -> None:
    told = quote(value)
    assert len(told) <= 60
    assert "\n" not in told


#: Could be the hash of anything; only what we quote is judged so.
UNMARKED = {"hexadecimal", "base64", "base64 for addresses"}


@pytest.mark.parametrize("kind", sorted(TOKENS.keys() - UNMARKED))
def test_no_log_line_of_a_library_holds_a_token(kind: str) -> None:
    text = f"cannot connect to {TOKENS[kind]} (retrying)"
    record = logging.LogRecord("aiohttp", logging.WARNING, "", 0, text, (), None)
    assert core(kind) not in Redacting("%(message)s").format(record)


@pytest.mark.parametrize(
    "text",
    [
        *("authorization: bearer S3CRET", "Authorization: Basic S3CRET="),
        *("x-api-key: S3CRET", "POST /x?token=S3CRET&a=1", "refresh_token=S3CRET"),
        *(
            "client_secret=S3CRET",
            "user=u password=S3CRET",
            "https://x.test?api_key=S3CRET",
        ),
        *("https://hooks.slack.com/services/T1/B1/S3CRET", "/api/webhooks/1/S3CRET"),
        *("postgresql://u:S3CRET@host/db", "postgresql://u:a@S3CRET@host/db"),
        *("postgresql://u:a/S3CRET@host/db", "https://S3CRET@host/"),
    ],
)
def test_no_log_line_of_a_library_holds_another_secret(text: str) -> None:
    record = logging.LogRecord("aiohttp", logging.WARNING, "", 0, text, (), None)
    assert "S3CRET" not in Redacting("%(message)s").format(record)


# In each variable, read in this process.


@pytest.mark.parametrize("kind", TOKENS)
def test_no_error_about_a_variable_holds_its_value(kind: str) -> None:
    variables = share(VARIABLES, [*TOKENS].index(kind), 3)
    for variable, read in itertools.product({*variables, *SECRETS}, READERS):
        error, found = tried(read, {**WHOLE, variable: TOKENS[kind]})
        if error is None:
            if variable in SECRETS:
                assert core(kind) not in repr(found), variable
            continue
        assert core(kind) not in str(error), str(error)
        assert variable in str(error)
        # Nor anything that a traceback would show.
        assert error.__cause__ is None
        assert error.__suppress_context__ or error.__context__ is None


READERS: tuple[Callable[[Mapping[str, str]], object], ...] = (
    Config.from_env,
    SlackConfig.from_env,
    DiscordConfig.from_env,
)
SECRETS = (
    *("ANTHROPIC_API_KEY", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "DISCORD_TOKEN"),
    "SLACK_SIGNING_SECRET",
)


def tried(
    read: Callable[[Mapping[str, str]], object], env: Mapping[str, str]
) -> tuple[ConfigError | None, object]:
    """Return the error about `env`, or what was read from it."""
    try:
        return None, read(env)
    except ConfigError as error:
        return error, None


#: Platforms that are set up, so that each variable is read.
WHOLE = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "DISCORD_TOKEN": "a.b.c",
}


def test_a_model_or_a_prompt_that_is_a_key_is_refused() -> None:
    """Either would be taken, and shown to everybody who asks for the settings."""
    for variable in ("THREADKEEP_MODEL", "THREADKEEP_SYSTEM_PROMPT", "THREADKEEP_DB"):
        with pytest.raises(ConfigError, match=f"{variable} holds what looks like a"):
            Config.from_env({variable: TOKENS["anthropic"]})
    kept = Config.from_env({"THREADKEEP_MODEL": "Meta-Llama-3.1-70B-Instruct"})
    assert kept.model == "Meta-Llama-3.1-70B-Instruct"
    prompt = "Tokens begin with xoxb-123 here; never repeat one."
    Config.from_env({"THREADKEEP_SYSTEM_PROMPT": prompt})


@pytest.mark.parametrize(
    "address",
    [
        *("localhost", "ftp://localhost", "http://", "http:///v1", "//localhost"),
        *("http://[::1", "http://host:port", "http://host:99999", "http://a b/"),
        "http://h:0/",
    ],
)
def test_an_address_that_is_none_is_refused_in_a_sentence(address: str) -> None:
    for variable in ("ANTHROPIC_BASE_URL", "SLACK_API_URL", "DISCORD_API_URL"):
        errors = [tried(read, {**WHOLE, variable: address})[0] for read in READERS]
        assert f"{variable} must be a URL" in str(errors)


@pytest.mark.parametrize("token", ["xoxb-1 2", "xoxb-1\n2", "xoxb-é", "xoxb-\x7f"])
def test_a_token_that_no_header_can_hold_is_not_sent(token: str) -> None:
    with pytest.raises(ConfigError, match="SLACK_BOT_TOKEN has a character") as found:
        SlackConfig.from_env({**WHOLE, "SLACK_BOT_TOKEN": token})
    assert token not in str(found.value)
    with pytest.raises(ConfigError, match="DISCORD_TOKEN is not a bot token"):
        DiscordConfig.from_env({**WHOLE, "DISCORD_TOKEN": f"a.b.{token}"})


# As a process: `check`, `serve`, `settings` and the rest.

process = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def shell(tmp_path: Path, nursery: Nursery) -> Shell:
    return Shell(tmp_path, nursery)


COMMANDS = [
    *(("check", "--offline"), ("settings", "export"), ("--help",)),
    *(("usage",), ("triage", "list"), ("serve",)),
]

#: Where a process that takes all its settings for good finds nobody, at once.
NOWHERE = {
    **{"ANTHROPIC_BASE_URL": "http://127.0.0.1:1", "SLACK_BOT_TOKEN": "xoxb-1"},
    **{"SLACK_APP_TOKEN": "xapp-1", "SLACK_API_URL": "http://127.0.0.1:1/"},
    "THREADKEEP_LOG": "debug",
}


@process
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
async def test_no_command_prints_what_is_in_a_variable(
    shell: Shell, command: tuple[str, ...]
) -> None:
    first = COMMANDS.index(command)
    for kind in share([*TOKENS], first, 2 * len(COMMANDS)):
        # In all at once, since all problems are named at once; and in each alone.
        together = [dict.fromkeys(VARIABLES, TOKENS[kind])]
        alone = [{**NOWHERE, variable: TOKENS[kind]} for variable in VARIABLES]
        # Reading each kind in each alone is a test above, which needs no process.
        step = rounds(len(alone), 4)
        for env in together + alone[first % step :: step]:
            status, printed = await shell.run(env, *command)
            assert core(kind) not in printed, (kind, env)
            assert status in (0, 1, 2)


@process
async def test_what_is_tried_over_the_network_is_not_printed(shell: Shell) -> None:
    """The errors of HTTP libraries name addresses and headers."""
    variables = ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "SLACK_API_URL")
    for number, kind in enumerate(("a url", "slack bot", "anthropic", "base64")):
        for variable in share(variables, number, len(variables)):
            key = {"ANTHROPIC_API_KEY": "sk-ant-1"}
            env = {**key, **NOWHERE, variable: TOKENS[kind]}
            _, printed = await shell.run(env, "check")
            assert core(kind) not in printed, (variable, kind)


@process
async def test_a_mistake_in_dotenv_is_a_sentence(shell: Shell) -> None:
    dotenv = shell.folder / ".env"
    broken = {
        b"SLACK_BOT_TOKEN=xoxb-Zq7Jk2Xw\xff\xfe": ".env is not UTF-8 text",
        b"THREADKEEP_GRACE=xoxb-Zq7Jk2Xw": "not this value, which looks like a token",
    }
    for content, sentence in broken.items():
        dotenv.write_bytes(content)
        status, printed = await shell.type("")
        assert (status, "Zq7Jk2Xw" in printed) == (MISTAKE, False)
        assert sentence in printed
    dotenv.unlink()
    dotenv.mkdir()
    status, printed = await shell.type("")
    assert status in (0, MISTAKE)


def test_an_unforeseen_error_says_where_and_not_what(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def fail() -> int:
        raise RuntimeError(f"could not send {TOKENS['slack bot']}")

    async def fail_together() -> int:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail())
            tasks.create_task(fail())
        return 0

    for command in (fail, fail_together):
        assert environment.run(command()) == environment.BROKEN
        told = capsys.readouterr().err
        assert "RuntimeError(test_secrets.py:" in told
        assert CORE not in told
        assert "Traceback" not in told


# Files.


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


@pytest.fixture
def open_to_all() -> Iterator[None]:
    """Set the umask to 0, so that files get the modes that they are created with."""
    before = os.umask(0o000)
    yield
    os.umask(before)


OWN = oct(0o600)


async def filled(database: Path) -> None:
    async with open_store(database) as store:
        await exchange(store, said("1", text="our kumquat"), "Right.")
        place = Scope("slack", "T1", "C5")
        change = Change(place, "prompt", "Be brief.", versioned=True)
        await store.change_settings([change], who="U1", now=1.0)
        case = await store.open_case(TriageCase(0, place, "1.0", 1.0, "U1", "Pay me"))
        await store.correct_case(case.id, "category", "billing", "U2", 1e9 * 2)
        # The log and its index are there for as long as the database is open.
        for file in list_of(database.parent):
            assert mode(file) == OWN, file


@pytest.mark.usefixtures("open_to_all")
async def test_the_database_and_all_beside_it_are_the_owners(tmp_path: Path) -> None:
    database = tmp_path / "data" / "threadkeep.db"
    await filled(database)
    assert mode(database.parent) == oct(0o700)
    for file in list_of(database.parent):
        assert mode(file) == OWN, file


@process
@pytest.mark.usefixtures("open_to_all")
async def test_what_commands_write_is_the_owners(shell: Shell) -> None:
    folder = shell.folder
    await filled(folder / "threadkeep.db")
    (folder / "there.yaml").write_text("precious")
    (folder / "there.csv").write_text("precious")
    commands = {
        ("settings", "export"): ["new.yaml"],
        ("settings", "export", "--force"): ["there.yaml"],
        ("backup",): ["backup.db"],
        ("triage", "corrections", "--since", "1970-01-01", "-o"): [
            *("new.csv", "there.csv")
        ],
    }
    for command, names in commands.items():
        for name in names:
            status, printed = await shell.run({}, *command, str(folder / name))
            assert status == 0, printed
            assert mode(folder / name) == OWN, name
            assert (folder / name).stat().st_size > 8


@pytest.mark.usefixtures("open_to_all")
async def test_results_of_triage_are_the_owners(tmp_path: Path) -> None:
    async def rows() -> AsyncIterator[Mapping[str, Any]]:
        yield {"id": 1, "ticket": "It broke", "category": "bug"}

    await write_table(tmp_path / "sorted.db", "tickets", rows())
    with writer.open_result(str(tmp_path / "sorted.csv")) as out:
        out.write("id\n")
        assert mode(tmp_path / ".sorted.csv.part") == OWN
    async with open_archive(tmp_path / "triage.db"):
        pass
    for file in list_of(tmp_path):
        assert mode(file) == OWN, file


def list_of(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def test_what_is_no_file_is_written_to_as_it_is() -> None:
    with open_private(Path(os.devnull), replace=True) as nowhere:
        nowhere.write("gone")
    assert Path(os.devnull).is_char_device()


def test_a_file_that_is_there_is_left_alone_unless_that_is_wanted(
    tmp_path: Path,
) -> None:
    file = tmp_path / "there.txt"
    file.write_text("a longer text than what comes")
    file.chmod(0o644)
    with pytest.raises(FileExistsError):
        open_private(file, replace=False)
    assert mode(file) == oct(0o644)
    with open_private(file, replace=True) as out:
        out.write("new")
    assert (file.read_text(), mode(file)) == ("new", OWN)


# Backups.


async def test_a_backup_is_whole_while_others_write(tmp_path: Path) -> None:
    database, copy = tmp_path / "threadkeep.db", tmp_path / "copy.db"
    async with open_store(database) as store:
        for number in range(10):
            await exchange(store, said(f"{number}", at=float(number)), "Right.")

        async def write_on() -> None:
            for number in range(10, 20):
                await exchange(store, said(f"{number}", at=float(number)), "Right.")

        _, size = await asyncio.gather(
            write_on(), asyncio.to_thread(back_up, database, copy)
        )
    assert size == copy.stat().st_size
    async with open_store(copy) as store:
        found = await store.transcript(HERE)
    assert found[:2] == [("U1", "text of 0"), ("", "Right.")]
    # A question and its answer are there both, or neither.
    assert len(found) >= 20


async def test_nothing_deleted_is_in_a_backup(tmp_path: Path) -> None:
    database, copy = tmp_path / "threadkeep.db", tmp_path / "copy.db"
    async with open_store(database) as store:
        for number in range(10):
            text = "kumquat " * 400
            await exchange(store, said(f"{number}", text=text), "Right.")
        gone = [str(number) for number in range(10)]
        await store.delete_messages("slack", "T1", gone, "C1", 1.0)
        back_up(database, copy)
    assert in_tables(copy, "kumquat") == []
    assert in_bytes(copy, "kumquat") == []


async def test_a_backup_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    database = tmp_path / "threadkeep.db"
    with pytest.raises(ConfigError, match="does not exist yet"):
        back_up(database, tmp_path / "copy.db")
    async with open_store(database):
        pass
    (tmp_path / "there.db").write_text("precious")
    with pytest.raises(ConfigError, match="exists already"):
        back_up(database, tmp_path / "there.db")
    assert (tmp_path / "there.db").read_text() == "precious"
    with pytest.raises(ConfigError, match="exists already"):
        back_up(database, database)
    with pytest.raises(ConfigError, match="cannot be written"):
        back_up(database, tmp_path / "nowhere" / "copy.db")
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE diary (day)")
    with pytest.raises(ConfigError, match="another program"):
        back_up(tmp_path / "other.db", tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


# What `check` says of files that others can read.


async def test_check_names_what_others_can_read(tmp_path: Path) -> None:
    database, dotenv = tmp_path / "data" / "threadkeep.db", tmp_path / ".env"
    assert exposures(database, dotenv) == []
    dotenv.write_text("SLACK_BOT_TOKEN=xoxb-1\n")
    dotenv.chmod(0o644)
    await filled(database)
    assert len(exposures(database, dotenv)) == 1
    database.chmod(0o640)
    database.parent.chmod(0o750)
    found = exposures(database, dotenv)
    assert {each.grade for each in found} == {Grade.NOTE}
    for path, wanted in ((dotenv, 600), (database, 600), (database.parent, 700)):
        assert any(f"run `chmod {wanted} {path}" in each.text for each in found)
    for each in found:
        command = each.text.split("`")[1]
        assert await (await asyncio.create_subprocess_shell(command)).wait() == 0
    assert exposures(database, dotenv) == []


def test_check_closes_no_directory_that_is_named_as_the_database(
    tmp_path: Path,
) -> None:
    named = tmp_path / "data"
    named.mkdir(mode=0o755)
    assert not any(str(named) in each.text for each in exposures(named))


@process
async def test_check_notes_it_and_goes_on(shell: Shell) -> None:
    await filled(shell.folder / "threadkeep.db")
    (shell.folder / "threadkeep.db").chmod(0o644)
    status, printed = await shell.run({}, "check", "--offline")
    assert status == 0
    assert "! Files" in printed
    assert "chmod 600" in printed


def test_git_ignores_what_holds_secrets_or_words() -> None:
    for path, ignored in {
        **dict.fromkeys(("threadkeep.db", "backup.db", "data/x.db-wal"), True),
        **dict.fromkeys((".env", ".env.local", ".env.production", "a.db-shm"), True),
        **dict.fromkeys((".env.example", "README.md", "storage/database.py"), False),
    }.items():
        done = subprocess.run(
            ["git", "check-ignore", "--quiet", "--no-index", path],
            cwd=ROOT,
            check=False,
        )
        assert (done.returncode == 0) is ignored, path
