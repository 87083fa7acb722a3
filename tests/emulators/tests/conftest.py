"""A workspace with an app in it, for tests of the Slack emulator."""

from collections.abc import AsyncIterator

import pytest

from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack_app import App, Clock, connected


@pytest.fixture
def clock() -> Clock:
    """A clock that a test can advance."""
    return Clock()


@pytest.fixture
async def slack(clock: Clock) -> AsyncIterator[SlackEmulator]:
    """A workspace. Its ack timeout is long, so that a slow ack causes no redelivery."""
    async with SlackEmulator(clock=clock, ack_timeout=60) as slack:
        yield slack


@pytest.fixture
async def app(slack: SlackEmulator) -> AsyncIterator[App]:
    """An app connected to the workspace."""
    async with connected(slack) as app:
        yield app


@pytest.fixture
def alice(slack: SlackEmulator) -> str:
    """A person."""
    return slack.add_user("Alice")


@pytest.fixture
def general(slack: SlackEmulator) -> str:
    """A channel that the app is in."""
    return slack.add_channel("general")
