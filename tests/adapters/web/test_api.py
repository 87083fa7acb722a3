"""Programs ask over HTTP and read the answer as a stream."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from adapters.web import api_stream
from adapters.web.api_values import chat_request
from adapters.web.context import Refused
from bot.domain.api_token import TokenScope
from bot.domain.completion import Report, Usage
from bot.errors import ModelUnreachable
from bot.messages import web_api as texts
from tests.support.scripted_model import ScriptedModel
from tests.support.web_server import WebServer


@pytest_asyncio.fixture
async def server() -> AsyncIterator[WebServer]:
    async with WebServer().open() as opened:
        yield opened


def model(server: WebServer) -> ScriptedModel:
    assert isinstance(server.model, ScriptedModel)
    return server.model


async def test_an_answer_streams_and_ends_with_done(server: WebServer) -> None:
    gate = asyncio.Event()
    model(server).script("The capital of France ", gate, "is *Paris*.")
    async with server.asked("Where?") as reading:
        assert reading.response.content_type == "text/event-stream"
        await reading.until("France ")
        assert reading.text == "The capital of France "
        gate.set()
        await reading.to_end()
    assert reading.text == "The capital of France is *Paris*."
    assert reading.kinds == ["delta", "receipt", "done"]
    assert len({event.id for event in reading.events[1:]}) == len(reading.events) - 1
    receipt, done = (event.data for event in reading.events[-2:])
    assert (receipt["input_tokens"], receipt["output_tokens"]) == (10, 5)
    assert receipt["turn"] == done["turn"]
    assert done["thread"] == reading.thread
    assert (done["ended"], done["stop_reason"], done["note"]) == (
        "done",
        "end_turn",
        "",
    )


async def test_what_a_request_asks_for_reaches_claude(server: WebServer) -> None:
    await server.answer(
        "Where?",
        model="haiku",
        system="Answer in French.",
        max_tokens=64,
        stop_sequences=["STOP", "\u20ac"],
    )
    [request] = model(server).requests
    assert (request.model, request.max_tokens) == ("claude-haiku-5-5", 64)
    assert request.stop_sequences == ("STOP", "\u20ac")
    assert request.system.startswith("Be brief.\n\nAnswer in French.\n\n")
    assert "Where?" in request.messages[-1].content


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("message", " \n", texts.A_MESSAGE),
        ("system", "a\0b", texts.A_SYSTEM),
        ("stop_sequences", [" "], texts.STOPS_RULE),
    ],
)
def test_a_refusal_says_what_is_taken(field: str, value: object, rule: str) -> None:
    body = json.dumps({"message": "a", field: value}).encode()
    with pytest.raises(Refused) as refused:
        chat_request(body)
    assert refused.value.text == texts.bad_field(name=field, rule=rule)


async def test_a_thread_goes_on(server: WebServer) -> None:
    first = await server.answer("One?")
    second = await server.answer("Two?", thread=first.thread)
    assert second.thread == first.thread
    asked = [each.content for each in model(server).requests[-1].messages]
    assert "One?" in asked[0]
    assert "Two?" in asked[-1]
    status, page = await server.call("GET", f"/api/threads/{first.thread}")
    assert status == 200
    assert [(m["role"], m["text"]) for m in page["messages"]] == [
        ("user", "One?"),
        ("assistant", "Understood."),
        ("user", "Two?"),
        ("assistant", "Understood."),
    ]
    assert (page["title"], page["owner"], page["answering"]) == ("One?", "local", False)
    status, found = await server.call("GET", "/api/threads")
    assert [row["id"] for row in found["threads"]] == [first.thread]


async def test_lists_have_pages(server: WebServer) -> None:
    threads = [(await server.answer(f"{n}?")).thread for n in range(3)]
    _, first = await server.call("GET", "/api/threads?limit=2")
    assert [row["id"] for row in first["threads"]] == threads[:0:-1]
    _, rest = await server.call("GET", f"/api/threads?before={first['next']}")
    assert [row["id"] for row in rest["threads"]] == threads[:1]
    assert rest["next"] is None


async def test_an_answer_can_be_stopped(server: WebServer) -> None:
    model(server).script("Half of it. ", asyncio.Event())
    async with server.asked() as reading:
        await reading.until("Half")
        path = f"/api/threads/{reading.thread}/stop"
        assert await server.call("POST", path) == (200, {"stopped": True})
        await reading.to_end()
        assert await server.call("POST", path) == (200, {"stopped": False})
    assert reading.last.kind == "done"
    assert (reading.last.data["ended"], reading.text) == ("stopped", "Half of it. ")


async def test_an_answer_that_fails_ends_with_an_error(server: WebServer) -> None:
    model(server).script(ModelUnreachable("no route"))
    reading = await server.answer()
    assert reading.kinds[-1] == "error"
    assert reading.last.data["code"] == "failed"
    assert reading.last.data["message"] == ModelUnreachable.user_text
    model(server).script("Half", ModelUnreachable("no route"))
    reading = await server.answer()
    assert (reading.text, reading.last.data["code"]) == ("Half", "interrupted")
    refusal = Report("claude-sonnet-5-5", "req", Usage(), stop_reason="refusal")
    model(server).script("I ca", refusal)
    reading = await server.answer()
    assert (reading.last.kind, reading.last.data["code"]) == ("error", "refused")


async def test_what_a_program_writes_is_never_a_command(server: WebServer) -> None:
    for words in (
        "stop",
        "help",
        "settings",
        "stay out",
        "thanks",
        "/claude new",
        "👍",
    ):
        reading = await server.answer(words)
        assert reading.text == "Understood."
        again = await server.answer(words, thread=reading.thread)
        assert again.text == "Understood."


# Cut and resumed.


async def test_a_stream_goes_on_behind_the_last_event(server: WebServer) -> None:
    gates = [asyncio.Event() for _ in range(3)]
    parts = (
        "Ein ",
        gates[0],
        "M\u00e4rchen \U0001f9da ",
        gates[1],
        "von ",
        gates[2],
        "Grimm",
    )
    model(server).script(*parts)
    text, last = "", ""
    for gate in gates:
        async with server.asked(last=last) as reading:
            event = await reading.next()
            while not (event and event.data["text"]):
                event = await reading.next()
            text, last = text + reading.text, reading.id
        gate.set()
    reading = await server.answer(last=last)
    assert text + reading.text == "Ein M\u00e4rchen \U0001f9da von Grimm"
    assert len(model(server).requests) == 1
    assert reading.kinds == ["delta", "receipt", "done"]
    # Behind the receipt, behind the end, and from the beginning.
    behind = [await server.answer(last=each.id) for each in reading.events[-2:]]
    assert [each.kinds for each in behind] == [["delta", "done"], ["delta", "done"]]
    assert [each.text for each in behind] == ["", ""]


async def test_a_key_asks_once(server: WebServer) -> None:
    gate = asyncio.Event()
    model(server).script("Once ", gate, "only.")
    key = {"Idempotency-Key": "order-66"}
    async with server.asked(headers=key) as reading:
        await reading.until("Once")
    gate.set()
    again = await server.answer(headers=key)
    assert again.text == "Once only."
    assert again.thread == reading.thread
    assert len(model(server).requests) == 1
    other = await server.answer(headers={"Idempotency-Key": "order-67"})
    assert other.thread != reading.thread


async def test_a_key_asks_once_though_it_is_sent_twice_at_once(
    server: WebServer,
) -> None:
    key = {"Idempotency-Key": "twice"}
    found = await asyncio.gather(*(server.answer("?", headers=key) for _ in range(5)))
    assert {each.text for each in found} == {"Understood."}
    assert {each.thread for each in found} == {found[0].thread}
    assert len(model(server).requests) == 1


async def test_silence_is_filled_with_comments(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_stream, "HEARTBEAT_EVERY", 0.02)
    gate = asyncio.Event()
    model(server).script(gate, "At last.")
    async with server.asked() as reading:
        await reading.next()
        while reading.comments < 3:
            line = await reading.response.content.readline()
            reading.comments += line.startswith(b":")
        gate.set()
        await reading.to_end()
    assert reading.text == "At last."


async def test_many_read_one_answer(server: WebServer) -> None:
    gate = asyncio.Event()
    model(server).script("All ", gate, "of it.")
    async with server.asked() as first:
        begin = await first.next()
        assert begin is not None
        readers = [asyncio.create_task(server.answer(last=begin.id)) for _ in range(20)]
        await first.until("All")
        gate.set()
        await first.to_end()
        for each in await asyncio.gather(*readers):
            assert (each.text, each.last.kind) == ("All of it.", "done")
    async with asyncio.timeout(60):
        while server.adapter.threads.open:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


# Who may.


async def test_as_soon_as_there_is_a_token_one_is_needed(server: WebServer) -> None:
    assert (await server.call("GET", "/api/threads"))[0] == 200
    token = await server.token()
    status, problem = await server.call("GET", "/api/threads")
    assert (status, problem["code"]) == (401, "unauthorized")
    assert (await server.call("GET", "/api/threads", token))[0] == 200
    assert (await server.call("GET", "/api/openapi.json"))[0] == 200
    await server.store.revoke_tokens("ci", 2.0)
    assert (await server.call("GET", "/api/threads", token))[0] == 401
    # The last one is revoked: this machine alone, as before.
    assert (await server.call("GET", "/api/threads"))[0] == 200


async def test_a_token_sees_its_own_threads(server: WebServer) -> None:
    ours, theirs = await server.token("ours"), await server.token("theirs")
    reader = await server.token("reader", TokenScope.READ)
    admin = await server.token("admin", TokenScope.ADMIN)
    thread = (await server.answer("Secret?", ours)).thread
    path = f"/api/threads/{thread}"
    unknown = await server.call("GET", "/api/threads/tnever", theirs)
    assert await server.call("GET", path, theirs) == unknown
    assert unknown[0] == 404
    assert (await server.call("POST", f"{path}/stop", theirs))[0] == 404
    body = {"message": "?", "thread": thread}
    assert (await server.call("POST", "/api/chat", theirs, json=body))[0] == 404
    assert (await server.call("GET", "/api/threads", theirs))[1]["threads"] == []
    for token in (ours, reader, admin):
        assert (await server.call("GET", path, token))[0] == 200
        listed = (await server.call("GET", "/api/threads", token))[1]["threads"]
        assert [row["id"] for row in listed] == [thread]
    status, problem = await server.call("POST", "/api/chat", reader, json=body)
    assert (status, problem["code"]) == (403, "forbidden")
    assert (await server.call("POST", f"{path}/stop", reader))[0] == 403
    assert (await server.answer("?", admin, thread=thread)).text == "Understood."


async def test_a_stream_of_somebody_else_is_not_resumed(server: WebServer) -> None:
    ours, theirs = await server.token("ours"), await server.token("theirs")
    reading = await server.answer("Secret?", ours)
    status, problem = await server.call(
        "POST", "/api/chat", theirs, headers={"Last-Event-ID": reading.events[0].id}
    )
    assert (status, problem["code"]) == (404, "not_found")


async def test_settings_hold_for_a_token_as_for_a_person(server: WebServer) -> None:
    await server.put("who", "user:token-ours")
    await server.put("person_messages", "1")
    ours, theirs = await server.token("ours"), await server.token("theirs")
    assert (await server.answer("?", ours)).text == "Understood."
    over = await server.answer("?", ours)
    assert over.last.data["code"] == "failed"
    assert "1 question an hour" in over.last.data["message"]
    refused = await server.answer("?", theirs)
    assert refused.last.data["code"] == "refused"
    assert len(model(server).requests) == 1


async def test_a_stream_ends_when_its_token_is_revoked(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_stream, "HEARTBEAT_EVERY", 0.02)
    token = await server.token()
    await server.token("other")
    model(server).script("Half ", asyncio.Event())
    async with server.asked("?", token) as reading:
        await reading.until("Half")
        await server.store.revoke_tokens("ci", 2.0)
        await reading.to_end()
    assert (reading.last.kind, reading.last.data["code"]) == ("error", "unauthorized")


async def test_requests_of_a_token_are_limited(server: WebServer) -> None:
    token = await server.token(rate=3)
    other = await server.token("other")
    statuses = [(await server.call("GET", "/api/threads", token))[0] for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    async with server.request("GET", "/api/threads", token) as response:
        problem = await response.json()
        assert 1 <= int(response.headers["Retry-After"]) <= 20
    assert problem["code"] == "rate_limited"
    assert "3 requests" in problem["message"]
    assert (await server.call("GET", "/api/threads", other))[0] == 200
