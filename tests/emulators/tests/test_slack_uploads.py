"""Uploads of the app's files, made through the SDK (A15)."""

from collections.abc import AsyncIterator

import pytest

from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.rates import UNLIMITED
from tests.emulators.slack_app import App, refusal

TEXT = "Be brief. ✓\n" * 500


@pytest.fixture
async def slack() -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator(ack_timeout=60, rates=UNLIMITED) as slack:
        yield slack


async def test_a_file_is_uploaded_into_a_thread(slack: SlackEmulator, app: App) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    root = slack.say(alice, general, "hello")
    answer = await app.web.files_upload_v2(
        channel=general,
        thread_ts=root,
        filename="prompt.txt",
        title="The prompt",
        content=TEXT,
        initial_comment="Here it is.",
    )
    assert answer["file"]["title"] == "The prompt"
    said = slack.thread(general, root)[-1]
    assert (said.author, said.text) == ("threadkeep", "Here it is.")
    assert said.files == ("prompt.txt",)
    assert slack.attached(general, said.ts) == {"prompt.txt": TEXT.encode()}
    assert [call.method for call in slack.calls if call.method != "auth.test"][-2:] == [
        "files.getUploadURLExternal",
        "files.completeUploadExternal",
    ]
    await slack.until(lambda: slack.settled)
    shared = app.heard[-1]["event"]
    assert (shared["subtype"], shared["thread_ts"]) == ("file_share", root)
    info = await app.web.files_info(file=answer["file"]["id"])
    assert info["file"]["size"] == len(TEXT.encode())


async def test_a_file_goes_into_a_direct_message(
    slack: SlackEmulator, app: App
) -> None:
    direct = slack.open_dm(slack.add_user("Alice"))
    await app.web.files_upload_v2(channel=direct, filename="a.txt", content="x")
    ((ts, message),) = slack.world.messages[direct].items()
    assert (message.thread_ts, slack.attached(direct, ts)) == (None, {"a.txt": b"x"})


async def test_where_a_file_cannot_go(slack: SlackEmulator, app: App) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    elsewhere = slack.add_channel("elsewhere", joined=False)
    root = slack.say(alice, general, "hello")
    reply = slack.say(alice, general, "more", thread_ts=root)
    for channel, thread, error in (
        (alice, None, "channel_not_found"),
        (elsewhere, None, "not_in_channel"),
        (general, reply, "cannot_reply_to_message"),
    ):
        upload = app.web.files_upload_v2(
            channel=channel, thread_ts=thread, filename="a.txt", content="x"
        )
        assert (await refusal(upload))[0] == error
    assert all(not message.files for message in slack.world.messages[general].values())


async def test_a_file_below_a_deleted_root_goes_to_the_top_and_can_be_deleted(
    slack: SlackEmulator, app: App
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    root = slack.say(alice, general, "hello")
    slack.delete(general, root)
    answer = await app.web.files_upload_v2(
        channel=general, thread_ts=root, filename="a.txt", content="x"
    )
    (message,) = slack.world.messages[general].values()
    assert (message.thread_ts, message.files[0]["name"]) == (None, "a.txt")
    await app.web.files_delete(file=answer["file"]["id"])
    assert not slack.world.messages[general]


async def test_the_steps_need_one_another(slack: SlackEmulator, app: App) -> None:
    ticket = await app.web.files_getUploadURLExternal(filename="a.txt", length=2)
    done = app.web.files_completeUploadExternal(files=[{"id": ticket["file_id"]}])
    assert (await refusal(done))[0] == "file_not_found"
    async with app.session.post(ticket["upload_url"], data=b"abc") as response:
        assert response.status == 400
    async with app.session.post(ticket["upload_url"], data=b"ab") as response:
        assert (response.status, await response.text()) == (200, "OK - 2")
    done = app.web.files_completeUploadExternal(files=[{"id": ticket["file_id"]}])
    assert (await done)["files"][0]["title"] == "a.txt"
    empty = app.web.files_getUploadURLExternal(filename="a.txt", length=0)
    assert (await refusal(empty))[0] == "invalid_arguments"
    slack.granted.remove("files:write")
    denied = app.web.files_upload_v2(filename="a.txt", content="x")
    assert (await refusal(denied))[0] == "missing_scope"


async def test_where_a_file_is_shown_is_told_late_or_never(
    slack: SlackEmulator, app: App
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    root = slack.say(alice, general, "hello")

    async def put() -> str:
        answer = await app.web.files_upload_v2(
            channel=general, thread_ts=root, filename="a.txt", content="x"
        )
        return str(answer["file"]["id"])

    async def shares(file: str) -> object:
        return (await app.web.files_info(file=file))["file"].get("shares")

    slack.uploads.late = 1
    file = await put()
    assert not await shares(file)
    shown = slack.thread(general, root)[-1]
    where = {"ts": shown.ts, "thread_ts": root}
    assert await shares(file) == {"public": {general: [where]}}
    slack.uploads.dropped = 1
    assert not await shares(await put())
    assert len(slack.thread(general, root)) == 2
    await app.web.files_delete(file=file)
    assert (await refusal(app.web.files_delete(file=file)))[0] == "file_deleted"
    assert (await refusal(app.web.files_info(file=file)))[0] == "file_deleted"
