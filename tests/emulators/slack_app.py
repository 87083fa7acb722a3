"""An app for tests of the Slack emulator, on the SDK's clients alone.

It receives payloads over Socket Mode, and acknowledges them as a test wants.
"""

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.socketmode import Delivery

Json = dict[str, Any]


class Clock:
    """A clock that a test can advance or stop."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._stands_at: float | None = None

    def __call__(self) -> float:
        now = time.monotonic() if self._stands_at is None else self._stands_at
        return now + self.ahead

    def stand(self) -> None:
        """Stop the clock, so that a limit is met however long the calls take."""
        self._stands_at = time.monotonic()


class App:
    """An app in Socket Mode."""

    def __init__(self, slack: SlackEmulator, session: aiohttp.ClientSession) -> None:
        self.slack = slack
        self.session = session
        # Without the SDK's retries, which would hide errors from the tests.
        self.web = AsyncWebClient(
            token=slack.bot_token,
            base_url=slack.api_url,
            session=session,
            retry_handlers=[],
        )
        #: The payloads in order of arrival.
        self.heard: list[Json] = []
        #: Returns the payload of the app's ack.
        self.answer: Callable[[Json], Json | None] = lambda payload: None
        #: True if the app acknowledges nothing.
        self.deaf = False

    async def listen(
        self, client: AsyncBaseSocketModeClient, request: SocketModeRequest
    ) -> None:
        """Receive a payload and acknowledge it."""
        self.heard.append(request.payload)
        if not self.deaf:
            answer = self.answer(request.payload)
            ack = SocketModeResponse(request.envelope_id, payload=answer)
            await client.send_socket_mode_response(ack)

    async def told(self, delivery: Delivery | None) -> Json:
        """Wait until a delivery is acknowledged. Return its payload."""
        assert delivery is not None
        await self.slack.until(lambda: delivery.acked)
        assert delivery.payload in self.heard
        return delivery.payload

    async def respond(self, address: str, **body: Any) -> tuple[int, Json]:
        """Post to a response_url. Return the status and the response."""
        async with self.session.post(address, json=body) as response:
            return response.status, await response.json()


@contextlib.asynccontextmanager
async def connected(slack: SlackEmulator) -> AsyncIterator[App]:
    """Yield an app that is connected to `slack`."""
    async with aiohttp.ClientSession() as session:
        app = App(slack, session)
        client = SocketModeClient(slack.app_token, web_client=app.web)
        client.socket_mode_request_listeners.append(app.listen)
        await client.connect()  # type: ignore[no-untyped-call]
        await slack.until(lambda: slack.connections)
        try:
            yield app
        finally:
            await client.close()  # type: ignore[no-untyped-call]


async def trigger(app: App, user: str, channel: str) -> str:
    """Let `user` type a command; return the trigger id that the app gets."""
    told = await app.told(app.slack.command(user, channel, "/claude"))
    return str(told["trigger_id"])


async def opened(app: App, user: str, channel: str, view: Json) -> Json:
    """Return the view of a modal that the app put before somebody."""
    name = await trigger(app, user, channel)
    answer = await app.web.views_open(trigger_id=name, view=view)
    shown: Json = answer["view"]
    return shown


async def refusal(call: Any) -> tuple[str, str]:
    """Return the error that Slack answers `call` with, and its first message."""
    with pytest.raises(SlackApiError) as caught:
        await call
    data = caught.value.response.data
    assert isinstance(data, dict)
    messages = data.get("response_metadata", {}).get("messages", [""])
    return data["error"], messages[0]


def plain(text: str) -> Json:
    """Return a text object."""
    return {"type": "plain_text", "text": text}


def button(action: str, label: str, **more: Any) -> Json:
    """Return a button."""
    return {"type": "button", "action_id": action, "text": plain(label), **more}


def option(value: str, label: str) -> Json:
    """Return an option of a menu."""
    return {"text": plain(label), "value": value}


def menu(action: str, *options: Json, **more: Any) -> Json:
    """Return a menu to choose one from."""
    return {
        "type": "static_select",
        "action_id": action,
        "placeholder": plain("Choose"),
        "options": list(options),
        **more,
    }


def typed(action: str, **more: Any) -> Json:
    """Return an input for text."""
    return {"type": "plain_text_input", "action_id": action, **more}


def asks(block: str, element: Json, label: str = "Label", **more: Any) -> Json:
    """Return an input block around `element`."""
    return {
        "type": "input",
        "block_id": block,
        "label": plain(label),
        "element": element,
        **more,
    }


def actions(*elements: Json, **more: Any) -> Json:
    """Return a row of controls."""
    return {"type": "actions", "elements": list(elements), **more}


def section(text: str, **more: Any) -> Json:
    """Return a piece of text."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def modal(*blocks: Json, **more: Any) -> Json:
    """Return a modal with a submit button."""
    return {
        "type": "modal",
        "callback_id": "settings",
        "title": plain("Settings"),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "blocks": list(blocks) or [section("Nothing to set")],
        **more,
    }


def home(*blocks: Json) -> Json:
    """Return a home tab."""
    return {"type": "home", "blocks": list(blocks)}


PROMPT = asks(
    "prompt",
    typed("text", multiline=True, max_length=3_000, initial_value="Be brief."),
    "Prompt",
    optional=True,
)
MODELS = (option("opus", "Opus"), option("haiku", "Haiku"))
MODEL = asks("model", menu("model", *MODELS, initial_option=MODELS[0]), "Model")
