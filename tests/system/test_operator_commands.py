"""Settings, audit and usage on the command line, with and without a running bot."""

import json
import time
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from bot.domain.budget import NO_LIMITS, Charge
from bot.domain.completion import Usage
from bot.domain.names import LastName, NameKind
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import AuditEntry, Change
from bot.domain.vitals import Connection, Vitals
from bot.vitals import status_file
from storage.opening import open_store
from tests.support.process import Nursery
from tests.support.store_helpers import exchange, said
from tests.system.test_commands import MISTAKE, Shell

# The nursery of the module lives on one loop, and its tests with it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

WORKSPACE, CHANNEL = Scope("slack", "T1"), Scope("slack", "T1", "C5")


@pytest_asyncio.fixture(loop_scope="module")
async def shell(tmp_path: Path, nursery: Nursery) -> Shell:
    """A folder with a database in which some things are set."""
    shell = Shell(tmp_path, nursery)
    async with open_store(tmp_path / "threadkeep.db") as store:
        changes = [
            Change(CHANNEL, "prompt", "Be brief.\nBe kind.", versioned=True),
            Change(CHANNEL, "budget_day", "5"),
            Change(WORKSPACE, "model", "claude-opus-5-5"),
        ]
        await store.change_settings(changes, who="U1", now=1_795_694_400.0)
        denied = AuditEntry(0, 1_795_694_460.0, CHANNEL, "U9", "denied", "set model")
        await store.record_refusal(denied)
    return shell


async def test_settings_go_out_and_come_back(shell: Shell) -> None:
    file = shell.folder / "settings.yaml"
    status, printed = await shell.run({}, "settings", "export", str(file))
    assert status == 0
    assert "3 settings written" in printed
    status, printed = await shell.run({}, "settings", "import", str(file))
    assert (status, printed) == (0, "Nothing to change.")
    text = file.read_text().replace("Be kind.", "Be bold.")
    file.write_text(text.replace("budget_day: 5", "budget_day: 7.5"))
    status, printed = await shell.run({}, "settings", "import", str(file), "--dry-run")
    assert status == 0
    assert "-Be kind. +Be bold." in printed
    assert "Nothing was changed" in printed
    status, printed = await shell.run({}, "settings", "import", str(file))
    assert status == 0
    assert "2 settings changed" in printed
    status, printed = await shell.run({}, "audit", "--since", "2026-11-01")
    assert "imported budget_day: $5.00 → $7.50" in printed
    assert "imported prompt: version 1 → version 2" in printed


@pytest.mark.parametrize("command", ["gateway", "work"])
async def test_half_of_serve_needs_a_database_that_is_shared(
    shell: Shell, command: str
) -> None:
    status, printed = await shell.run({}, command)
    assert (status, "setup slack" in printed) == (MISTAKE, True)
    slack = {"SLACK_BOT_TOKEN": "xoxb-1-test", "SLACK_APP_TOKEN": "xapp-1-test"}
    status, printed = await shell.run(slack, command)
    assert (status, "PostgreSQL" in printed) == (MISTAKE, True)
    assert f"threadkeep {command}" in printed


@pytest.mark.parametrize("queues", ["9-20", "7-3", "x", "0"])
async def test_a_worker_takes_queues_that_there_are(shell: Shell, queues: str) -> None:
    status, printed = await shell.run({}, "work", "--queues", queues)
    assert (status, "0-15" in printed) == (MISTAKE, True)


async def test_settings_go_to_a_new_machine(tmp_path: Path, nursery: Nursery) -> None:
    shell = Shell(tmp_path, nursery)
    file = tmp_path / "some.yaml"
    file.write_text("version: 1\nslack:\n  T1:\n    model: claude-opus-5-5\n")
    there = {"THREADKEEP_DB": str(tmp_path / "data" / "new.db")}
    command = ("settings", "import", str(file))
    status, printed = await shell.run(there, *command, "--dry-run")
    assert (status, "Nothing was changed" in printed) == (0, True)
    nowhere = {"THREADKEEP_DB": "/dev/null/new.db"}
    status, printed = await shell.run(nowhere, *command, "--dry-run")
    assert (status, "THREADKEEP_DB" in printed) == (MISTAKE, True)
    file.write_text("version: 1\n")
    status, printed = await shell.run(there, *command)
    assert (status, printed) == (0, "Nothing to change.")
    assert not (tmp_path / "data").exists()
    file.write_text("version: 1\nslack:\n  T1:\n    model: claude-opus-5-5\n")
    status, printed = await shell.run(there, *command)
    assert (status, "1 setting changed" in printed) == (0, True)
    status, printed = await shell.run(there, *command)
    assert (status, printed) == (0, "Nothing to change.")
    assert (tmp_path / "data" / "new.db").stat().st_mode & 0o777 == 0o600


async def test_a_person_is_forgotten_by_platform_workspace_and_id(shell: Shell) -> None:
    status, printed = await shell.run({}, "forget", "slack:T1:U9")
    assert (status, printed) == (0, "0 messages deleted. Backups still contain them.")
    for wrong in ("U9", "slack:U9", "slack::U9", "slack:T1:", "slack:T1:C1:U9"):
        status, printed = await shell.run({}, "forget", wrong)
        assert (status, "platform, workspace and id" in printed) == (MISTAKE, True)


async def test_what_a_file_does_not_name_stays_unless_that_is_wanted(
    shell: Shell,
) -> None:
    file = shell.folder / "some.yaml"
    file.write_text("version: 1\nslack:\n  T1:\n    model: claude-opus-5-5\n")
    _, printed = await shell.run({}, "settings", "import", str(file))
    assert printed == "Nothing to change."
    status, printed = await shell.run({}, "settings", "import", str(file), "--remove")
    assert status == 0
    assert "2 settings changed" in printed


async def test_a_file_that_is_there_is_not_written_over(shell: Shell) -> None:
    file = shell.folder / "precious.yaml"
    file.write_text("mine")
    status, printed = await shell.run({}, "settings", "export", str(file))
    assert status == MISTAKE
    assert "--force" in printed
    assert file.read_text() == "mine"
    status, _ = await shell.run({}, "settings", "export", str(file), "--force")
    assert status == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version: 1\nslack:\n  T1:\n    modle: opus\n", "did you mean model?"),
        (b"version: 1\nslack:\n  T1:\n    budget_day: ten\n", "not “ten”"),
        (b"a: [", "not valid YAML"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
    ],
)
async def test_a_bad_file_changes_nothing(
    shell: Shell, content: bytes, words: str
) -> None:
    file = shell.folder / "bad.yaml"
    file.write_bytes(content)
    status, printed = await shell.run({}, "settings", "import", str(file))
    assert status == MISTAKE
    assert printed.startswith("threadkeep: ")
    assert words in printed
    _, after = await shell.run({}, "audit", "--format", "json", "--since", "2026-11-01")
    assert len(json.loads(after)) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("settings", "import", "nowhere.yaml"), "cannot be read"),
        (("settings", "import", "."), "cannot be read"),
        (("settings", "export", "/dev/null/x.yaml"), "cannot be written"),
        (("usage", "--since", "tomorrow"), "--since must be a day"),
        (("audit", "--since", "soon"), "--since must be a day"),
        (("audit", "--in", "salck:T1"), "--in must be a place"),
        (("threads", "--in", "slack::C1"), "--in must be a place"),
        (("audit", "--most", "0"), "not in the range"),
        (("settings", "history", "--most", "9" * 20), "not in the range"),
    ],
)
async def test_what_cannot_be_done_is_said_in_a_sentence(
    shell: Shell, arguments: tuple[str, ...], words: str
) -> None:
    status, printed = await shell.run({}, *arguments)
    assert status == MISTAKE
    assert words in printed


@pytest.mark.parametrize("command", ["audit", "feedback", "settings export", "usage"])
async def test_without_a_database_there_is_nothing_to_show(
    tmp_path: Path, nursery: Nursery, command: str
) -> None:
    status, printed = await Shell(tmp_path, nursery).run({}, *command.split())
    assert status == MISTAKE
    assert "nobody has talked to the bot" in printed


async def test_what_readers_think_goes_out(shell: Shell) -> None:
    since = ("--since", "2026-11-01")
    status, printed = await shell.run({}, "feedback", *since)
    assert (status, "Nobody gave feedback" in printed) == (0, True)
    async with open_store(shell.folder / "threadkeep.db") as store:
        for number, good in ((1, True), (2, False)):
            asked = said(str(number), at=1_795_694_400.0 + number)
            await exchange(store, asked, f"Answer {number}.")
            facts = await store.turn_facts(asked.thread)
            assert facts is not None
            await store.record_feedback(asked.thread, facts.key, good)
    _, printed = await shell.run({}, "feedback", "--since", "1970-01-01")
    assert [word in printed for word in ("good", "bad", "Answer")] == [
        True,
        True,
        False,
    ]
    form = ("--format", "json", "--since", "1970-01-01")
    _, printed = await shell.run({}, "feedback", "--texts", *form)
    assert [(each["good"], each["answer"]) for each in json.loads(printed)] == [
        (True, "Answer 1."),
        (False, "Answer 2."),
    ]
    _, printed = await shell.run({}, "feedback", *form)
    assert "answer" not in json.loads(printed)[0]
    status, printed = await shell.run({}, "feedback", "--texts", *since)
    assert (status, "--texts needs" in printed) == (2, True)


async def test_the_audit_is_read_by_place_and_by_programs(shell: Shell) -> None:
    since = ("--since", "2026-11-01")
    _, printed = await shell.run({}, "audit", *since)
    assert "set model:" in printed
    assert "U9" not in printed
    _, printed = await shell.run({}, "audit", "--refused", *since)
    assert "slack:T1:C5 U9 set model 1" in printed
    form = ("--format", "csv")
    _, printed = await shell.run({}, "audit", "--refused", "--ids", *form, *since)
    assert printed.startswith("at,place,who,name,count 2026-11-26T12:01:00+00:00,")
    _, printed = await shell.run({}, "audit", *since)
    _, printed = await shell.run({}, "audit", "--in", "slack:T1:C9", *since)
    assert "Nothing was changed since 2026-11-01" in printed
    _, printed = await shell.run({}, "audit", *form, "--most", "1", *since)
    header = "id,at,place,place_name,who,who_name,action,name,before,after 3,"
    assert printed.startswith(header)


async def test_reports_name_people_and_channels_and_keep_their_ids(
    shell: Shell,
) -> None:
    def last(kind: NameKind, id: str, name: str) -> LastName:
        return LastName("slack", "T1", kind, id, name)

    async with open_store(shell.folder / "threadkeep.db") as store:
        names = [
            last(NameKind.PERSON, "U1", "Olga"),
            last(NameKind.PERSON, "U9", "=Ben\x1b[31m"),
            last(NameKind.CHANNEL, "C5", "#billing"),
            last(NameKind.WORKSPACE, "T1", "Acme"),
        ]
        await store.store_names(names, time.time())
        charge = Charge(CHANNEL, "U1", "try", "claude-sonnet-5-5", 4.0)
        opened = await store.open_charge(charge, NO_LIMITS, time.time())
        assert isinstance(opened, int)
        await store.close_charge(opened, Usage(), 2.5, time.time())
        asked = said(
            "1", at=1_795_694_400.0, thread=ThreadKey("slack", "T1", "C5", "9")
        )
        await exchange(store, asked, "Answer.")
        facts = await store.turn_facts(asked.thread)
        assert facts is not None
        await store.record_feedback(asked.thread, facts.key, True)
    since, whole = ("--since", "2026-11-01"), ("--since", "1970-01-01")
    csv, programs = ("--format", "csv"), ("--format", "json")

    _, printed = await shell.run({}, "usage", *since)
    assert "#billing" in printed
    assert "@Olga" in printed
    assert "slack:" not in printed
    _, printed = await shell.run({}, "usage", "--ids", *since)
    assert "slack:T1:C5" in printed
    assert "Olga" not in printed
    _, printed = await shell.run({}, "usage", "--by", "person", *programs, *since)
    assert (
        json.loads(printed)[0]["person"],
        json.loads(printed)[0]["person_name"],
    ) == (*("slack:U1", "Olga"),)
    _, printed = await shell.run({}, "usage", "--by", "channel", *csv, *since)
    assert printed.startswith("channel,channel_name,answers,")
    assert " slack:T1:C5,#billing," in printed

    _, printed = await shell.run({}, "audit", *since)
    assert "Acme @Olga" in printed
    assert "#billing @Olga" in printed
    _, printed = await shell.run({}, "audit", "--refused", *since)
    # What a terminal obeys is gone, and the text of it is left.
    assert "#billing @=Ben[31m set model 1" in printed
    _, printed = await shell.run({}, "audit", "--refused", *csv, *since)
    assert ",slack:T1:C5,#billing,U9,'=Ben" in printed

    _, printed = await shell.run({}, "feedback", *whole)
    assert "#billing:9" in printed
    _, printed = await shell.run({}, "feedback", *programs, *whole)
    found = json.loads(printed)[0]
    assert (found["thread"], found["thread_name"]) == ("slack:T1:C5:9", "#billing")


async def test_usage_and_check_say_how_the_budgets_over_all_stand(shell: Shell) -> None:
    total = {"THREADKEEP_BUDGET_TOTAL_DAY": "10", "THREADKEEP_BUDGET_TOTAL_MONTH": "50"}
    async with open_store(shell.folder / "threadkeep.db") as store:
        charge = Charge(CHANNEL, "U1", "auto-triage", "m", 4.0)
        opened = await store.open_charge(charge, NO_LIMITS, time.time())
        assert isinstance(opened, int)
        await store.close_charge(opened, Usage(), 2.5, time.time())
    status, printed = await shell.run(total, "usage")
    assert status == 0
    assert "All workspaces, today: $2.50 of $10.00" in printed
    assert "All workspaces, this month: $2.50 of $50.00" in printed
    _, printed = await shell.run({}, "usage")
    assert "All workspaces" not in printed
    platform = {
        **{"DISCORD_TOKEN": "a.b.c", "ANTHROPIC_API_KEY": "sk-ant-key"},
        "THREADKEEP_BUDGET_TOTAL_DAY": "3",
    }
    _, printed = await shell.run(platform, "check", "--offline")
    assert "! Total budget All workspaces, today: $2.50 of $3.00" in printed
    del platform["THREADKEEP_BUDGET_TOTAL_DAY"]
    _, printed = await shell.run(platform, "check", "--offline")
    assert "! Total budget there is no limit on the total cost" in printed


THREAD = "slack:T1:C5:1.0"
EVER = ("--since", "1970-01-01")


async def asked(shell: Shell) -> None:
    """Let somebody ask something in a thread, and be answered."""
    key = ThreadKey("slack", "T1", "C5", "1.0")
    async with open_store(shell.folder / "threadkeep.db") as store:
        await exchange(store, said("1.0", thread=key, text="the secret plan"), "No.")


async def test_threads_are_listed_and_their_text_only_on_demand(shell: Shell) -> None:
    await asked(shell)
    status, printed = await shell.run({}, "threads")
    assert (status, THREAD in printed, "secret" in printed) == (0, True, False)
    status, printed = await shell.run({}, "threads", "secret", "plan", "--json")
    assert (status, json.loads(printed)) == (0, [])
    status, printed = await shell.run({}, "threads", "secret", "--private", "--json")
    [row] = json.loads(printed)
    assert (row["thread"], row["title"]) == (THREAD, "the secret plan")
    status, printed = await shell.run({}, "threads", "--in", "slack:T2")
    assert (status, printed) == (0, "There are no such threads.")


async def test_a_thread_is_shown_exported_and_deleted_and_the_audit_says_so(
    shell: Shell,
) -> None:
    await asked(shell)
    file = shell.folder / "thread.json"
    status, printed = await shell.run({}, "thread", "show", THREAD)
    assert (status, "--private" in printed) == (MISTAKE, True)
    status, printed = await shell.run({}, "thread", "show", THREAD, "--private")
    assert (status, "the secret plan" in printed) == (0, True)
    command = ("thread", "export", THREAD, str(file), "--private")
    assert (await shell.run({}, *command))[0] == 0
    assert file.stat().st_mode & 0o077 == 0
    assert json.loads(file.read_text())["lines"][0]["text"] == "the secret plan"
    assert (await shell.run({}, *command))[0] == MISTAKE
    status, _ = await shell.run({}, "thread", "delete", THREAD, "--private")
    assert status == 0
    status, printed = await shell.run({}, "thread", "show", THREAD, "--private")
    assert "secret" not in printed
    status, printed = await shell.run({}, "audit", "--json", "--since", "1d")
    assert [row["action"] for row in json.loads(printed)][-3:] == [
        *("deleted", "exported", "read")
    ]
    for wrong in ("slack:T1", "slack:T1:C5:9.0"):
        status, _ = await shell.run({}, "thread", "show", wrong, "--private")
        assert status == MISTAKE


async def test_budgets_and_quality_are_told_to_people_and_programs(
    shell: Shell,
) -> None:
    await asked(shell)
    env = {"THREADKEEP_BUDGET_TOTAL_MONTH": "100"}
    status, printed = await shell.run(env, "budgets", "--json")
    assert status == 0
    assert {row["budget"]["usd"] for row in json.loads(printed)} == {100.0, 5.0}
    status, printed = await shell.run(env, "budgets")
    assert (status, "everywhere" in printed) == (0, True)
    status, printed = await shell.run({}, "quality", "--json", *EVER)
    assert json.loads(printed)["ended"] == {"done": 1}
    status, printed = await shell.run({}, "quality", *EVER)
    assert (status, "Slowest" in printed) == (0, True)


async def test_what_is_set_and_how_it_changed_is_told(shell: Shell) -> None:
    status, printed = await shell.run({}, "settings", "list", "--json")
    found = {row["name"]: row["value"] for row in json.loads(printed)}
    assert found["prompt"] == "Be brief.\nBe kind."
    status, printed = await shell.run({}, "settings", "list", "--in", "slack:T1")
    assert (status, "model" in printed) == (0, True)
    history = ("settings", "history", "--since", "2026-11-01")
    status, printed = await shell.run({}, *history)
    assert (status, "+Be kind." in printed) == (0, True)
    status, printed = await shell.run({}, *history, "--json")
    assert "+Be kind." in json.loads(printed)[-1]["diff"]


async def test_usage_of_people_by_model_is_one_table(shell: Shell) -> None:
    async with open_store(shell.folder / "threadkeep.db") as store:
        call = Charge(CHANNEL, "U1", "ask", "m", 1.0)
        charge = await store.open_charge(call, NO_LIMITS, 10.0)
        assert isinstance(charge, int)
        await store.close_charge(charge, Usage(output=5), 0.5, 10.0)
    command = ("usage", "--by", "person", "--by", "model", *EVER, "--json")
    status, printed = await shell.run({}, *command)
    [row] = json.loads(printed)
    assert status == 0
    assert {"person", "person_name", "model", "usd"} <= row.keys()
    status, printed = await shell.run({}, *command[:-1])
    assert printed.splitlines()[0].split()[:2] == ["Person", "Model"]


async def test_a_platform_that_is_the_process_itself_is_not_called_disconnected(
    shell: Shell,
) -> None:
    now = time.time()
    running = Vitals(now, now, connections=(Connection("web", is_local=True),))
    file = status_file.beside(shell.folder / "threadkeep.db")
    file.write_bytes(msgspec.json.encode(running))
    status, printed = await shell.run({}, "now")
    assert (status, "this process" in printed) == (0, True)


async def test_without_a_running_bot_now_says_so(shell: Shell) -> None:
    await asked(shell)
    status, printed = await shell.run({}, "now")
    assert (status, printed) == (1, "Threadkeep is not running with this database.")
    status, printed = await shell.run({}, "now", "--json")
    assert json.loads(printed) == {"running": None, "processes": [], "turns": []}
