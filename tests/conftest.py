"""What every test has: no name but loopback resolves, no example has a deadline."""

import contextlib
import gc
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies

from tests.support import certificates, locks
from tests.support.deep import rounds

pytest_plugins = ["tests.support.workers"]

# What all tests but those of the emulators get. To import Threadkeep for these, too,
# would take a quarter of their start.
PRODUCT = "tests.support.product"

# Imports and collection allocate much that stays: looking through it again and again
# takes a tenth of their time. It is enabled when all is collected.
gc.disable()

LOOPBACK = {"127.0.0.1", "::1", "localhost", None, ""}

# A slow machine is not a wrong answer. Fifteen examples of each property keep the suite
# short; HYPOTHESIS_MAX_EXAMPLES looks longer. Where nobody is there to look at a new
# counterexample, the same examples are tried every time.
hypothesis.settings.register_profile(
    "threadkeep",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    max_examples=int(os.environ.get("HYPOTHESIS_MAX_EXAMPLES", rounds(15, 300))),
)
hypothesis.settings.load_profile("threadkeep")

certificates.read_once()

# Most tests with a database wait for the disk, and none needs what survives a power
# failure: where there is a file system in memory, pytest keeps its files there.
if os.access(MEMORY := "/dev/shm", os.W_OK):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)


# Long tests, begun first so that none of them runs alone in the end: the crashes, which
# keep both cores busy, then single tests of ten seconds, and the faults, which mostly
# wait.
LONG = (
    "tests/system/test_crashes.py",
    "tests/system/test_discord_crashes.py",
    "tests/storage/postgres/test_move.py",
    "tests/adapters/web/test_browser.py",
    "tests/system/",
)


#: Waits for the server that was begun to start.
_POSTGRES = pytest.StashKey[Callable[[], None]]()


def pytest_configure(config: pytest.Config) -> None:
    """Share one nursery among the test processes, if there are several, and begin to
    start a PostgreSQL server if they run all tests: both are ready when all is
    collected. The tests of the emulators need nothing of that.

    Raises UsageError where a package that is imported is not installed: the nursery
    would end, and every test that needs it fail with it.
    """
    if missing := locks.not_installed(locks.asked("dev")):
        raise pytest.UsageError(
            f"Install what the tests need with `make test`: {', '.join(missing)}"
        )
    _resolve_only_loopback(config)
    if all("tests/emulators" in each for each in config.args):
        return
    config.pluginmanager.import_plugin(PRODUCT)
    if config.getoption("workers"):
        from tests.support.process import shared_nursery

        stack = contextlib.ExitStack()
        stack.enter_context(shared_nursery())
        config.add_cleanup(stack.close)
        if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
            from tests.support import postgres

            config.stash[_POSTGRES] = postgres.begin()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long."""
    items.sort(key=lambda item: [not item.nodeid.startswith(each) for each in LONG])


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave what all tests share out of garbage collection, which would look at all
    modules and tests again and again."""
    if session.config.getoption("workers"):
        certificates.read()
        if wait := session.config.stash.get(_POSTGRES, None):
            wait()
        elif postgres := sys.modules.get("tests.support.postgres"):
            postgres.begin()()
        functions = (getattr(each, "function", None) for each in session.items)
        if any(map(hypothesis.is_hypothesis_test, functions)):
            _draw_once()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@hypothesis.settings(max_examples=1, database=None, derandomize=True)
@hypothesis.given(strategies.text())
def _draw_once(text: str) -> None:
    """Let Hypothesis read the constants of all modules and its table of characters,
    which takes half a second, before the test processes are forked."""


def _resolve_only_loopback(config: pytest.Config) -> None:
    """Let any look-up of an outside name fail the test that makes it. Done once: a
    fixture for each test would take a tenth of the time of a short one."""
    resolve = socket.getaddrinfo

    def guarded(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        assert name in LOOPBACK, f"a test looked up {name}"
        return resolve(host, *args, **kwargs)

    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    patch.setattr(socket, "getaddrinfo", guarded)
