"""Problems that only the operator can correct are logged and told once, and again after
an hour."""

import asyncio
import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from bot.domain.completion import Report, Request
from bot.errors import (
    AccessRevoked,
    DeliveryError,
    ModelBusy,
    ModelDenied,
    ModelError,
    StorageFull,
)
from bot.operator_alerts import OperatorAlerts, ReportingModel
from bot.platforms import Platforms
from bot.runtime.disk_space import LOW
from bot.settings.effective import Operator
from tests.support.fakes import FakeAdapter
from tests.support.memory_store import MemoryStore
from tests.support.scripted_model import ScriptedModel

ADMINS = Operator({}, admins=frozenset({"slack:root", "discord:7", "terminal:x"}))
KEY = "the key is not accepted: set ANTHROPIC_API_KEY (401, req_1)"
HOUR = 3_600.0


class Setup:
    """Alerts for two platforms, whose time and disk a test sets."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.time, self.free = 1_795_694_400.0, 10 * LOW
        self.adapters = {name: FakeAdapter(name) for name in ("slack", "discord")}
        self.platforms = Platforms(list(self.adapters.values()))
        self.store = store or MemoryStore()
        self.alerts = self.restarted()

    def restarted(self) -> OperatorAlerts:
        return OperatorAlerts(
            *(self.store, self.platforms, ADMINS, Path("/data")),
            now=lambda: self.time,
            free=lambda path: self.free,
        )

    @property
    def told(self) -> list[tuple[str, str]]:
        """The alerts: each recipient, with the text after the heading."""
        return [
            (user, text.partition(":** ")[2])
            for adapter in self.adapters.values()
            for user, text in adapter.told
        ]


async def refused(model: ReportingModel, error: type[ModelError]) -> None:
    with pytest.raises(error):
        async for _ in model.answer(Request("m", "Be brief.", (), 10)):
            pass


async def test_a_refused_key_is_told_once_an_hour(
    caplog: pytest.LogCaptureFixture,
) -> None:
    setup = Setup()
    scripted = ScriptedModel(
        ["Hi", ModelDenied(KEY)],
        [ModelDenied(KEY.replace("req_1", "req_2"))],
        [ModelBusy("overloaded")],
        [ModelDenied(KEY)],
    )
    begun: list[Coroutine[Any, Any, object]] = []
    model = ReportingModel(
        scripted, setup.alerts, lambda what, work: begun.append(work)
    )
    await refused(model, ModelDenied)
    await begun.pop()
    setup.time += HOUR / 2
    await refused(model, ModelDenied)
    await begun.pop()
    await refused(model, ModelBusy)
    assert begun == []
    setup.time += HOUR / 2
    await refused(model, ModelDenied)
    await begun.pop()
    assert caplog.text.count("ERROR") == 2
    assert f"operator.needed {KEY}" in caplog.text
    assert set(setup.told) == {("root", KEY), ("7", KEY)}
    assert len(setup.told) == 4


async def test_a_server_that_failed_is_told_and_rests() -> None:
    setup, rested = Setup(), list[str]()
    begun: list[Coroutine[Any, Any, object]] = []
    fake = ScriptedModel([Report("m", failed=("wiki",)), "Yes."], ["No."])
    model = ReportingModel(
        *(fake, setup.alerts),
        lambda what, work: begun.append(work),
        rested.extend,
    )
    for _ in range(2):
        async for _ in model.answer(Request("m", "Be brief.", (), 10)):
            pass
    await begun.pop()
    assert begun == []
    assert rested == ["wiki"]
    [text] = [text for user, text in setup.told if user == "root"]
    assert text.startswith("An answer was written without the MCP server wiki")


async def test_problems_are_told_each_and_not_again_after_a_restart() -> None:
    setup = Setup()
    await setup.alerts.report("key", KEY)
    await setup.restarted().report("key", KEY)
    await setup.restarted().report("credit", "no credit")
    assert [text for user, text in setup.told if user == "root"] == [KEY, "no credit"]


async def test_a_disk_that_fills_up_and_a_lost_platform_are_told() -> None:
    setup = Setup()
    await setup.alerts.look()
    assert setup.told == []
    setup.free = LOW - 1
    setup.platforms.shut_down("slack", AccessRevoked("Set a new token."))
    await setup.alerts.look()
    await setup.alerts.look()
    assert [user for user, _ in setup.told] == ["7", "7"]
    (_, lost), (_, disk) = setup.told
    assert lost == "the bot no longer answers on slack. Set a new token."
    assert disk.startswith("only 255 MB are left on the disk of the database (/data)")


async def test_a_full_disk_cannot_be_noted_and_is_told_once_an_hour() -> None:
    class Full(MemoryStore):
        async def claim_notice(self, *args, **options):  # type: ignore[no-untyped-def]
            raise StorageFull("full")

    setup = Setup(Full())
    setup.free = 0
    for _ in range(3):
        await setup.alerts.look()
        setup.time += HOUR / 2
    assert len([user for user, _ in setup.told if user == "root"]) == 2


async def test_an_admin_who_cannot_be_reached_keeps_no_other_from_it() -> None:
    class Unreachable(FakeAdapter):
        async def tell(self, workspace: str, user: str, text: str) -> None:
            raise DeliveryError("no")

    setup = Setup()
    lost = Unreachable("discord")
    setup.platforms = Platforms([lost, setup.adapters["slack"]])
    await setup.restarted().report("key", KEY)
    assert setup.told == [("root", KEY)]


async def test_the_watch_survives_whatever_goes_wrong(
    caplog: pytest.LogCaptureFixture,
) -> None:
    setup, done = Setup(), asyncio.Event()
    looks = 0

    def free(path: Path) -> int:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise OSError("what people said")
        done.set()
        return LOW

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)

    alerts = OperatorAlerts(
        *(setup.store, setup.platforms, ADMINS, Path("/data")), free=free, sleep=sleep
    )
    with caplog.at_level(logging.ERROR):
        task = asyncio.create_task(alerts.watch())
        await asyncio.wait_for(done.wait(), 60)
        task.cancel()
    assert "task.failed task=operator alerts at=" in caplog.text
    assert "what people said" not in caplog.text
