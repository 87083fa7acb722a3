"""The Slack emulator's Web API, used through slack_sdk's client."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.rates import UNLIMITED
from tests.emulators.wire import Body

MARKDOWN = [{"type": "markdown", "text": "**Hi**"}]
STOP = {
    "type": "actions",
    "elements": [
        {
            "type": "button",
            "action_id": "stop",
            "text": {"type": "plain_text", "text": "Stop"},
        }
    ],
}
METADATA = {"event_type": "threadkeep_reply", "event_payload": {"turn": "42"}}


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def slack() -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator(rates=UNLIMITED) as slack:
        yield slack


@pytest.fixture
def client(slack: SlackEmulator, session: aiohttp.ClientSession) -> AsyncWebClient:
    return connect(slack, session)


def connect(
    slack: SlackEmulator, session: aiohttp.ClientSession, token: str | None = None
) -> AsyncWebClient:
    """Return a client without the SDK's retries, which would hide errors from the
    tests."""
    return AsyncWebClient(
        token=slack.bot_token if token is None else token,
        base_url=slack.api_url,
        session=session,
        retry_handlers=[],
    )


async def refusal(call: Any) -> str:
    """Return the error that Slack answers `call` with."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_the_app_learns_who_it_is(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    answer = await client.auth_test()
    assert answer["user_id"] == slack.bot_user
    assert answer["bot_id"] == slack.bot_id
    assert answer["team_id"] == slack.team
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


async def test_a_token_is_judged_before_anything_else(
    slack: SlackEmulator, session: aiohttp.ClientSession
) -> None:
    assert await refusal(connect(slack, session, "").auth_test()) == "not_authed"
    assert await refusal(connect(slack, session, "xoxb-1").auth_test()) == (
        "invalid_auth"
    )
    app_level = connect(slack, session, slack.app_token)
    assert await refusal(app_level.auth_test()) == "not_allowed_token_type"
    good = connect(slack, session)
    assert await refusal(good.apps_connections_open(app_token=slack.bot_token)) == (
        "not_allowed_token_type"
    )
    slack.revoke("account_inactive")
    assert await refusal(good.auth_test()) == "account_inactive"


async def test_an_app_level_token_in_the_body_does_not_count(
    slack: SlackEmulator, session: aiohttp.ClientSession
) -> None:
    url = f"{slack.api_url}apps.connections.open"
    async with session.post(url, data={"token": slack.app_token}) as answer:
        assert await answer.json() == {"ok": False, "error": "not_authed"}


async def test_without_socket_mode_no_connection_is_handed_out(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    await slack.turn_off_socket_mode()
    opening = client.apps_connections_open(app_token=slack.app_token)
    assert await refusal(opening) == "access_denied"


async def test_an_unknown_method_is_refused_and_logged(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    assert await refusal(client.api_call("chat.sing")) == "unknown_method"
    assert [call.outcome for call in slack.calls_of("chat.sing")] == ["unknown_method"]


async def test_a_missing_scope_is_named(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    slack.granted.remove("users:read")
    with pytest.raises(SlackApiError) as caught:
        await client.users_info(user=slack.bot_user)
    assert caught.value.response["needed"] == "users:read"


async def test_a_reader_sees_a_conversation(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    root = slack.say(alice, general, f"{slack.mention} is 1 &lt; 2?")
    posted = await client.chat_postMessage(
        channel=general,
        thread_ts=root,
        text="Yes",
        blocks=[{"type": "markdown", "text": "**Yes**"}, STOP],
        metadata=METADATA,
    )
    assert slack.transcript(general, root) == (
        "Alice: @threadkeep is 1 < 2?\nthreadkeep (bot): **Yes**"
    )
    assert posted["message"]["bot_id"] == slack.bot_id
    assert posted["message"]["thread_ts"] == root
    assert posted["message"]["parent_user_id"] == alice
    seen = slack.thread(general, root)[-1]
    assert seen.bot
    assert seen.buttons == ("stop",)
    assert seen.metadata == METADATA
    assert slack.calls_of("chat.postMessage")[0].arguments["text"] == "Yes"


async def test_forms_and_queries_are_read_like_json(
    slack: SlackEmulator, session: aiohttp.ClientSession
) -> None:
    alice = slack.add_user("Alice")
    direct = slack.open_dm(alice)
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    form = {"channel": direct, "blocks": '[{"type": "markdown", "text": "**Hi**"}]'}
    url = f"{slack.api_url}chat.postMessage"
    async with session.post(url, data=form, headers=headers) as answer:
        ts = (await answer.json())["ts"]
    query = {"channel": direct, "ts": ts, "token": slack.bot_token}
    async with session.get(
        f"{slack.api_url}conversations.replies", params=query
    ) as answer:
        assert (await answer.json())["messages"][0]["blocks"] == MARKDOWN


async def test_a_post_needs_a_place_that_takes_it(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    alice = slack.add_user("Alice")
    general = slack.add_channel("general")
    root = slack.say(alice, general, "hello")
    reply = slack.say(alice, general, "more", thread_ts=root)

    async def post(channel: str, **more: Any) -> str:
        return await refusal(client.chat_postMessage(channel=channel, text="x", **more))

    assert await post("C404") == "channel_not_found"
    assert await post(slack.add_channel("b", joined=False)) == "not_in_channel"
    secret = slack.add_channel("c", kind="group", joined=False)
    assert await post(secret) == "channel_not_found"
    assert await post(general, thread_ts=reply) == "cannot_reply_to_message"
    slack.archive(general)
    assert await post(general) == "is_archived"


async def test_an_edit_replaces_what_it_gives_and_keeps_the_metadata(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    general = slack.add_channel("general")
    post = await client.chat_postMessage(
        channel=general, text="Hi", blocks=MARKDOWN, metadata=METADATA
    )
    ts = post["ts"]
    await client.chat_update(
        channel=general, ts=ts, text="Hi", blocks=[*MARKDOWN, STOP]
    )
    seen = slack.message(general, ts)
    assert (seen.edited, seen.metadata, seen.text) == (False, METADATA, "**Hi**")
    answer = await client.chat_update(channel=general, ts=ts, text="Bye")
    assert answer["text"] == "Bye"
    seen = slack.message(general, ts)
    assert (seen.edited, seen.text, seen.buttons) == (True, "Bye", ())
    await client.chat_update(channel=general, ts=ts, text="Bye", metadata={})
    assert slack.message(general, ts).metadata is None
    assert [version.text for version in seen.versions] == ["**Hi**", "**Hi**", "Bye"]


async def test_only_its_own_messages_can_be_edited_or_deleted(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    ts = slack.say(alice, general, "mine")
    edit = client.chat_update(channel=general, ts=ts, text="ours")
    assert await refusal(edit) == "cant_update_message"
    assert await refusal(client.chat_delete(channel=general, ts=ts)) == (
        "cant_delete_message"
    )
    slack.delete(general, ts)
    edit = client.chat_update(channel=general, ts=ts, text="ours")
    assert await refusal(edit) == "message_not_found"
    own = await client.chat_postMessage(channel=general, text="oops")
    await client.chat_delete(channel=general, ts=own["ts"])
    with pytest.raises(KeyError):
        slack.message(general, own["ts"])


async def test_a_deleted_root_leaves_a_tombstone_above_its_replies(
    slack: SlackEmulator,
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    root = slack.say(alice, general, "hello")
    slack.say(alice, general, "more", thread_ts=root)
    slack.delete(general, root)
    assert slack.transcript(general, root) == (
        "Slackbot: This message was deleted.\nAlice: more"
    )


async def test_what_would_notify_people_is_noticed(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    slack.say(alice, general, "<!channel> from a person is none of ours")
    harmless = "&lt;!channel&gt; <\u200b!here> @channel"
    post = await client.chat_postMessage(channel=general, text=harmless)
    assert slack.pings == []
    blocks = [{"type": "markdown", "text": f"<!here|here> <@{alice}>"}]
    await client.chat_update(channel=general, ts=post["ts"], text="x", blocks=blocks)
    assert [ping.target for ping in slack.pings] == ["!here", f"@{alice}"]


async def test_an_edit_finds_names_unless_it_says_otherwise(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    general = slack.add_channel("general")
    post = await client.chat_postMessage(channel=general, text="@channel")
    where: dict[str, Any] = {"channel": general, "ts": post["ts"]}
    await client.chat_update(**where, text="@here", parse="none", link_names=False)
    assert slack.pings == []
    await client.chat_update(**where, text="@Here")
    await client.chat_update(**where, text="@channel", parse="none", link_names=True)
    await client.chat_postMessage(channel=general, text="@everyone", parse="full")
    found = [ping.target for ping in slack.pings]
    assert found == ["!here", "!channel", "!everyone"]


async def test_what_is_not_documented_to_be_harmless_is_not(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    general = slack.add_channel("general")

    async def notified(*blocks: dict[str, Any]) -> list[str]:
        slack.pings.clear()
        await client.chat_postMessage(channel=general, text="x", blocks=blocks)
        return [ping.target for ping in slack.pings]

    def section(text: str, **more: Any) -> dict[str, Any]:
        return {"type": "section", "text": {"type": "mrkdwn", "text": text, **more}}

    for text in ("@Channel", "&lt;!CHANNEL&gt;", "&#60;!channel>", "@&#99;hannel"):
        [found] = await notified({"type": "markdown", "text": text})
        assert found.lower() == "!channel"
    assert await notified(section("@channel")) == ["!channel"]
    assert await notified(section("@channel &lt;!here&gt;", verbatim=True)) == []
    plain = {"type": "plain_text", "text": "<!channel>"}
    assert await notified({"type": "section", "text": plain}) == []


async def test_previews_are_opened_unless_both_kinds_are_switched_off(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    general = slack.add_channel("general")
    text = "see https://x.test/a"
    await client.chat_postMessage(
        channel=general, text=text, unfurl_links=False, unfurl_media=False
    )
    assert slack.previews == []
    post = await client.chat_postMessage(channel=general, text=text, unfurl_links=False)
    [preview] = slack.previews
    assert (preview.ts, preview.address) == (post["ts"], "https://x.test/a")


async def test_a_thread_is_read_page_by_page(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    root = slack.say(alice, general, "0")
    replies = [slack.say(alice, general, str(n), thread_ts=root) for n in range(1, 6)]
    pages = [
        [message["text"] for message in page["messages"]]
        async for page in await client.conversations_replies(
            channel=general, ts=replies[2], limit=3
        )
    ]
    assert pages == [["0", "1", "2"], ["0", "3", "4"], ["0", "5"]]
    window = await client.conversations_replies(
        channel=general, ts=root, oldest=replies[1], latest=replies[4], inclusive=True
    )
    texts = [message["text"] for message in window["messages"]]
    assert texts == ["0", "2", "3", "4", "5"]
    assert not window["has_more"]
    first = window["messages"][0]
    assert (first["reply_count"], first["latest_reply"]) == (5, replies[-1])
    missing = client.conversations_replies(channel=general, ts="1.0")
    assert await refusal(missing) == "thread_not_found"


async def test_metadata_is_shown_to_those_who_ask(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    general = slack.add_channel("general")
    post = await client.chat_postMessage(channel=general, text="x", metadata=METADATA)
    plain = await client.conversations_history(channel=general)
    assert "metadata" not in plain["messages"][0]
    full = await client.conversations_replies(
        channel=general, ts=post["ts"], include_all_metadata=True
    )
    assert full["messages"][0]["metadata"] == METADATA


async def test_a_channel_shows_its_roots_newest_first(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    root = slack.say(alice, general, "first")
    slack.say(alice, general, "reply", thread_ts=root)
    slack.say(alice, general, "shared", thread_ts=root, broadcast=True)
    slack.say(alice, general, "second")
    page = await client.conversations_history(channel=general, limit=2)
    assert [message["text"] for message in page["messages"]] == ["second", "shared"]
    assert page["has_more"]


async def test_people_and_places_can_be_looked_up(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    alice = slack.add_user("Alice", real_name="Alice A", admin=True)
    general = slack.add_channel("general")
    user = (await client.users_info(user=alice))["user"]
    assert (user["real_name"], user["is_admin"]) == ("Alice A", True)
    info = await client.conversations_info(channel=general)
    assert (info["channel"]["name"], info["channel"]["is_member"]) == ("general", True)
    direct = (await client.conversations_open(users=alice))["channel"]["id"]
    assert direct == slack.open_dm(alice)
    info = await client.conversations_info(channel=direct)
    assert (info["channel"]["is_im"], info["channel"]["user"]) == (True, alice)
    assert await refusal(client.users_info(user="U404")) == "user_not_found"


async def test_a_status_shows_until_the_app_speaks(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    alice = slack.add_user("Alice")
    direct = slack.open_dm(alice)
    root = slack.say(alice, direct, "hello")

    async def think() -> None:
        await client.assistant_threads_setStatus(
            channel_id=direct, thread_ts=root, status="is thinking…"
        )

    await think()
    assert slack.status(direct, root) == "is thinking…"
    await client.chat_postMessage(channel=direct, thread_ts=root, text="hi")
    assert slack.status(direct, root) == ""
    assert [change.status for change in slack.statuses] == ["is thinking…", ""]
    slack.refuse_status("feature_disabled")
    assert await refusal(think()) == "feature_disabled"


async def test_a_whisper_and_a_reaction_arrive(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    ts = slack.say(alice, general, "hello")
    await client.chat_postEphemeral(channel=general, user=alice, text="psst")
    assert slack.world.ephemeral[0].text == "psst"
    assert len(slack.thread(general, ts)) == 1
    await client.reactions_add(channel=general, timestamp=ts, name="eyes")
    again = client.reactions_add(channel=general, timestamp=ts, name="eyes")
    assert await refusal(again) == "already_reacted"
    assert slack.message(general, ts).reactions == ("eyes",)
    await client.reactions_remove(channel=general, timestamp=ts, name="eyes")
    assert slack.message(general, ts).reactions == ()
    again = client.reactions_remove(channel=general, timestamp=ts, name="eyes")
    assert await refusal(again) == "no_reaction"


async def test_a_file_is_for_those_with_the_token(
    slack: SlackEmulator, client: AsyncWebClient, session: aiohttp.ClientSession
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    slack.say(alice, general, "see", files={"a.txt": b"hello"})
    history = await client.conversations_history(channel=general)
    (file,) = history["messages"][0]["files"]
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    async with session.get(file["url_private"], headers=headers) as answer:
        assert await answer.read() == b"hello"
    async with session.get(file["url_private"]) as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
    info = await client.files_info(file=slack.files.stub(file["id"])["id"])
    address = info["file"]["url_private_download"]
    slack.files.moved[file["id"]] = "https://example.org/"
    more: Any = {"headers": headers, "allow_redirects": False}
    async with session.get(address, **more) as answer:
        assert answer.headers["Location"] == "https://example.org/"
    del slack.files.moved[file["id"]]
    slack.files.bodies[file["id"]] = Body.CUT
    with pytest.raises(aiohttp.ClientPayloadError):
        async with session.get(address, headers=headers) as answer:
            await answer.read()
    slack.files.bodies[file["id"]] = Body.UNMARKED
    async with session.get(address, headers=headers) as answer:
        assert (await answer.read(), answer.content_length) == (b"he", None)
    slack.files.bodies[file["id"]] = Body.ENDLESS
    async with session.get(address, headers=headers) as answer:
        assert len(await answer.content.readexactly(1_000_000)) == 1_000_000
    slack.files.delete(file["id"])
    async with session.get(address, headers=headers) as answer:
        assert answer.status == 404


async def test_a_mention_may_lack_what_stands_beside_it(slack: SlackEmulator) -> None:
    slack.feed.bare_mentions = True
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    ts = slack.say(alice, general, slack.mention, attachments=[{"text": "beside"}])
    slack.preview(general, ts, {"from_url": "https://x.org"})
    events = [each.payload["event"] for each in slack.deliveries]
    by_kind = {each.get("subtype") or each["type"]: each for each in events}
    assert "attachments" not in by_kind["app_mention"]
    assert by_kind["message"]["attachments"] == [{"text": "beside"}]
    changed = by_kind["message_changed"]
    assert len(changed["message"]["attachments"]) == 2
    assert changed["previous_message"]["attachments"] == [{"text": "beside"}]
    assert "edited" not in changed["message"]


async def test_a_test_that_waits_in_vain_is_told_how_things_stand(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    root = slack.say(alice, general, "anyone?")
    await client.auth_test()
    with pytest.raises(AssertionError) as caught:
        await slack.until(lambda: slack.thread(general, root)[1], timeout=0.01)
    assert "Alice: anyone?" in str(caught.value)
    assert "auth.test ok" in str(caught.value)
    assert "message" in str(caught.value)


async def test_a_post_below_a_deleted_root_stands_at_the_top_of_the_channel(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    root = slack.say(alice, general, "hello")
    slack.delete(general, root)
    posted = await client.chat_postMessage(channel=general, text="x", thread_ts=root)
    assert "thread_ts" not in posted["message"]
    history = await client.conversations_history(channel=general)
    assert [each["ts"] for each in history["messages"]] == [posted["ts"]]
