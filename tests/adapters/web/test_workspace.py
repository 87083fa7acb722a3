"""The local workspace through HTTP: actions of people, and the pages that they see."""

import asyncio
import secrets

from tests.support.memory_store import MemoryStore
from tests.support.scripted_model import ScriptedModel
from tests.support.web_harness import browsing


async def test_a_mention_is_answered_in_its_thread() -> None:
    model = ScriptedModel(["Par", "is."])
    async with browsing(MemoryStore(), model) as browser:
        _, thread = await browser.say("@Claude What is the capital of France?")
        found = await browser.answered("welcome", thread)
        assert "@Claude What is the capital of France?" in found[0]
        assert "Paris." in found[1]
        assert "Retry" in found[1]
        # The bot reads no mention of itself.
        [request] = model.requests
        assert "What is the capital" in request.messages[0].content
        assert "@Claude" not in request.messages[0].content
        page = await browser.page("/c/welcome")
        assert "1 reply" in page


async def test_a_follow_up_needs_no_mention_and_others_are_left_alone() -> None:
    model = ScriptedModel(["One."], ["Two."])
    async with browsing(MemoryStore(), model) as browser:
        _, thread = await browser.say("@Claude count")
        await browser.answered("welcome", thread)
        await browser.say("go on", thread=thread)
        found = await browser.answered("welcome", thread, 2)
        assert "Two." in found[3]
        await browser.say("@Ben what do you think?", thread=thread)
        _, other = await browser.say("just among us")
        page = await browser.page(f"/c/welcome/t/{other}")
        assert "just among us" in page
        assert len(model.requests) == 2


async def test_a_message_that_is_sent_again_is_one_message() -> None:
    model = ScriptedModel(["Once."])
    async with browsing(MemoryStore(), model) as browser:
        id = secrets.token_hex(16)
        for _ in range(3):
            _, thread = await browser.say("@Claude hello", id=id)
        found = await browser.answered("welcome", thread)
        assert len(found) == 2
        assert len(model.requests) == 1
        # The id of somebody else's message changes nothing.
        again = {"text": "mine", "channel": "welcome", "id": id, "as_": "ben"}
        await browser.post("/local/messages", **again, status=409)
        assert "<p>mine</p>" not in await browser.page(f"/c/welcome/t/{thread}")


async def test_an_answer_grows_on_an_open_page_by_its_last_blocks() -> None:
    held = asyncio.Event()
    model = ScriptedModel(["First block.\n\nSecond block.\n\nThird", held, " block."])
    async with browsing(MemoryStore(), model) as browser:
        _, thread = await browser.say("@Claude write")
        where = {"channel": "welcome", "thread": thread}
        async with browser.stream(**where) as one, browser.stream(**where) as two:
            held.set()
            for stream in (one, two):
                blocks: dict[str, list[str]] = {}
                busy = True
                while busy:
                    event = await stream.next()
                    changes = event.data if event.name == "posts" else [event.data]
                    if event.name not in ("posts", "post", "grow"):
                        continue
                    for each in changes:
                        shown = blocks.setdefault(each["id"], [])
                        shown[each["from"] :] = each["blocks"]
                        if each["id"] != thread:
                            busy = each["busy"]
                [shown] = [b for b in blocks.values() if "First" in "".join(b)]
                assert [each.strip() for each in shown[:3]] == [
                    "<p>First block.</p>",
                    "<p>Second block.</p>",
                    "<p>Third block.</p>",
                ]


async def test_what_was_posted_before_a_crash_is_handed_over_after_it() -> None:
    store, model = MemoryStore(), ScriptedModel(["Late."])
    async with browsing(store, model) as browser:
        board = browser.adapter.board
        # As if the process had ended before the core had it.
        post = await board.post("welcome", "", "olga", "@Claude are you there?")
    async with browsing(store, model) as browser:
        found = await browser.answered("welcome", post.message)
        assert "Late." in found[1]
    async with browsing(store, model) as browser:
        await browser.answered("welcome", post.message)
    assert len(model.requests) == 1


async def test_a_command_is_answered_to_who_gave_it() -> None:
    async with browsing(MemoryStore(), ScriptedModel()) as browser:
        answer = await browser.post(
            "/local/command", typed="/claude help", channel="welcome", as_="ben"
        )
        assert answer["kind"] == "response"
        assert "@Claude" in answer["html"] or "mention" in answer["html"]
        unknown = await browser.post(
            "/local/command", typed="/setings", channel="welcome", as_="ben"
        )
        assert "settings" in unknown["html"]


async def test_a_form_is_filled_in_and_what_it_sets_applies() -> None:
    model = ScriptedModel(["Arr."])
    async with browsing(MemoryStore(), model) as browser:
        place = {"channel": "engineering", "as_": "olga"}
        form = await browser.post("/local/command", typed="/prompt set", **place)
        assert form["kind"] == "form"
        command = _attribute(form["html"], "data-command")
        assert "Be brief." in form["html"]
        saved = await browser.post(
            "/local/command",
            command=command,
            field__prompt="Speak like a pirate.",
            **place,
        )
        assert saved["kind"] == "response", saved
        _, thread = await browser.say("@Claude hello", **place)
        await browser.answered("engineering", thread)
        assert "Speak like a pirate." in model.requests[0].system
        # Somebody without the right to is refused, also with an old form.
        form = await browser.post(
            "/local/command",
            command=command,
            field__prompt="Obey me.",
            channel="engineering",
            as_="ben",
        )
        assert "admin" in form["text"]


async def test_stop_and_retry_and_receipt_are_buttons() -> None:
    held = asyncio.Event()
    model = ScriptedModel(["Half of", held], ["All of it."])
    async with browsing(MemoryStore(), model) as browser:
        _, thread = await browser.say("@Claude write")
        where = {"channel": "welcome", "thread": thread}
        async with browser.stream(**where) as events:
            line = ""
            while not line:
                event = await events.next()
                line = _line(str(event.data), "stop")
            await browser.post("/local/command", line=line, as_="olga", **where)
        found = await browser.answered("welcome", thread)
        assert "Half of" in found[1]
        page = await browser.page(f"/c/welcome/t/{thread}")
        await browser.post(
            "/local/command", line=_line(page, "retry"), as_="olga", **where
        )
        async with browser.stream(**where) as events:
            while "All of it." not in str((event := await events.next()).data):
                pass
            while "Receipt" not in str(event.data):
                event = await events.next()
        page = await browser.page(f"/c/welcome/t/{thread}")
        assert "Half of" not in page
        answer = await browser.post(
            "/local/command", line=_line(page, "receipt"), as_="olga", **where
        )
        assert "claude-sonnet" in answer["html"]


async def test_feedback_is_stored() -> None:
    store = MemoryStore()
    async with browsing(store, ScriptedModel(["Yes."])) as browser:
        await browser.post(
            "/local/command", typed="/set feedback on", channel="welcome", as_="olga"
        )
        _, thread = await browser.say("@Claude ?")
        await browser.answered("welcome", thread)
        page = await browser.page(f"/c/welcome/t/{thread}")
        turn = _attribute(page, "data-turn")
        rated = await browser.post(
            "/local/rate",
            turn=turn,
            rating="good",
            channel="welcome",
            thread=thread,
            as_="ben",
        )
        assert "Thanks" in rated["text"]
        again = await browser.post(
            "/local/rate",
            turn="ff" * 8,
            rating="good",
            channel="welcome",
            thread=thread,
        )
        assert "no longer" in again["text"]


async def test_files_come_with_a_message_and_claude_reads_them() -> None:
    model = ScriptedModel(["Read."])
    async with browsing(MemoryStore(), model) as browser:
        _, thread = await browser.say(
            "@Claude what is in it?", files=[("notes.txt", b"the word is rhubarb")]
        )
        await browser.answered("welcome", thread)
        sent = model.requests[0].messages[0]
        assert b"rhubarb" in sent.files[0].data
        page = await browser.page(f"/c/welcome/t/{thread}")
        assert "notes.txt" in page
        path = _attribute(page, 'a href="/files')
        async with browser.session.get(f"{browser.address}/files{path}") as response:
            assert await response.read() == b"the word is rhubarb"
            assert response.headers["Content-Type"] == "application/octet-stream"
            assert response.headers["Content-Disposition"].startswith("attachment")


async def test_a_private_channel_and_direct_messages_are_nobody_elses() -> None:
    async with browsing(MemoryStore(), ScriptedModel(["Here."])) as browser:
        _, thread = await browser.say("@Claude hush", channel="leads")
        await browser.answered("leads", thread)
        for path in (
            f"/c/leads/t/{thread}?as=ben",
            "/c/leads?as=ben",
            "/c/Dolga?as=ben",
        ):
            async with browser.session.get(browser.address + path) as response:
                assert response.status == 404
                assert "hush" not in await response.text()
        refused = {"channel": "leads", "as_": "ben", "text": "x", "status": 404}
        await browser.post("/local/messages", **refused)
        await browser.post("/local/command", typed="/settings", **refused)
        _, own = await browser.say("hello", channel="Dben", as_="ben")
        found = await browser.answered("Dben", own, as_="ben")
        assert "Understood." in found[1]


async def test_messages_are_edited_and_deleted_by_their_authors() -> None:
    store, model = MemoryStore(), ScriptedModel(["One."], ["Two."])
    async with browsing(store, model) as browser:
        message, thread = await browser.say("@Claude the secret is rhubarb", as_="ben")
        await browser.answered("welcome", thread)
        where = {"channel": "welcome", "thread": thread, "message": message}
        await browser.post(
            "/local/edit",
            text="@Claude the secret is gone",
            as_="mia",
            **where,
            status=403,
        )
        await browser.post(
            "/local/edit", text="@Claude the secret is gone", as_="ben", **where
        )
        page = await browser.page(f"/c/welcome/t/{thread}?as=ben")
        assert "rhubarb" not in page
        assert "edited" in page
        await browser.post("/local/delete", as_="mia", **where, status=403)
        await browser.post("/local/delete", as_="ben", **where)
        page = await browser.page(f"/c/welcome/t/{thread}?as=ben")
        assert "the secret" not in page
        for table in ("messages", "posts"):
            rows = store.db.execute(f"SELECT text FROM {table}").fetchall()
            assert "secret" not in str([tuple(row) for row in rows])


async def test_who_keeps_a_word_back_is_told_in_private() -> None:
    async with browsing(MemoryStore(), ScriptedModel(["One."])) as browser:
        _, thread = await browser.say("@Claude settings", as_="ben")
        async with browser.stream(
            channel="welcome", thread=thread, **{"as": "ben"}
        ) as own:
            while "Only you see this" not in str((await own.next()).data):
                pass
        page = await browser.page(f"/c/welcome/t/{thread}?as=ben")
        assert 'class="message private"' in page
        others = await browser.page(f"/c/welcome/t/{thread}?as=mia")
        assert 'class="message private"' not in others


def _attribute(html: str, name: str) -> str:
    _, _, rest = html.partition(name)
    value = rest.lstrip('="').partition('"')[0]
    return value.replace("&#34;", '"').replace("&quot;", '"')


def _line(html: str, verb: str) -> str:
    _, found, rest = html.partition(f"{verb}.answer ")
    return found + rest.partition('"')[0].rstrip("\\") if found else ""
