"""Files on their way to Claude: taken, refused, counted."""

import base64
import io
import random
from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest
from PIL import Image
from pypdf import PdfWriter

from bot.claude import cost
from bot.claude.client import ClaudeModel
from bot.domain.attachment import FileKind
from bot.domain.completion import ChatMessage, Report, Request, RequestFile
from bot.errors import FileRefused, ModelRejected
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Fail
from tests.support.claude_harness import broken, said, text_of


def image(width: int = 280, data: bytes = b"") -> RequestFile:
    into = io.BytesIO()
    Image.new("RGB", (width, 280)).save(into, "PNG")
    data = data or into.getvalue()
    most = -(-width // 28) * 10
    kind = FileKind.IMAGE
    return RequestFile("a.png", "#image", kind, "image/png", most, 0, len(data), data)


def pdf(password: str = "", padding: int = 0) -> RequestFile:
    into = io.BytesIO()
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    if padding:
        writer.add_attachment("x", random.Random(1).randbytes(padding))
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    writer.write(into)
    data, kind = into.getvalue(), FileKind.PDF
    return RequestFile("b.pdf", "#", kind, "application/pdf", 6_000, 1, 1, data)


IMAGE = image()
MANY = [replace(IMAGE, digest=str(n)) for n in range(20)]
TEXT = RequestFile("c", "#text", FileKind.TEXT, "text/plain", 40, 0, 4, b"some words")


def asking(*files: RequestFile) -> Request:
    entry = ChatMessage("user", "<message>What is it?</message>", files)
    return Request("claude-sonnet-5-5", "Help.", (entry,), 100)


async def test_files_are_taken_and_never_cost_more_than_was_reserved(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    claude.always("A square.")
    request = asking(image(), pdf(), TEXT)
    *_, report = await said(model, request)
    assert isinstance(report, Report)
    tokens = report.usage.prompt
    assert tokens > 100 + 4_000
    assert tokens <= cost.usage_ceiling(request).prompt
    assert tokens <= await model.count(request)
    # A count does not send the files.
    counted = claude.requests[-1].body
    assert counted["messages"][0]["content"] == request.messages[0].content
    # Unless the exact number is wanted.
    exact = await model.count(request, files=True)
    assert 4_000 < exact <= tokens


@pytest.mark.parametrize(
    ("files", "digest"),
    [
        ((pdf(), replace(image(data=b"\x89PNG\r\n\x1a\n no"), digest="bad")), ""),
        ((image(), replace(pdf("secret"), digest="bad")), "bad"),
        ((pdf(), replace(image(8_001), digest="bad")), "bad"),
        ((*MANY, replace(image(2_001), digest="bad")), "bad"),
    ],
    ids=["broken", "password", "wide", "wide of many"],
)
async def test_a_refusal_says_which_file_it_is_about(
    claude: ClaudeEmulator,
    model: ClaudeModel,
    files: tuple[RequestFile, ...],
    digest: str,
) -> None:
    text, error = await broken(model, asking(*files))
    assert (text, len(claude.questions)) == ("", 1)
    assert isinstance(error, FileRefused)
    assert error.digest == digest


async def test_a_refusal_is_about_what_was_sent(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    """The blocks of a file that was deleted meanwhile stand elsewhere."""
    files = [replace(image(), digest=name) for name in ("gone", "kept")]
    files.append(replace(image(8_001), digest="bad"))
    data = {each.digest: each.data for each in files[1:]}

    async def load(digests: Collection[str]) -> Mapping[str, bytes]:
        return data

    bare = [replace(each, data=b"") for each in files]
    _, error = await broken(model, replace(asking(*bare), load=load))
    assert isinstance(error, FileRefused)
    assert error.digest == "bad"


async def test_files_are_loaded_for_each_attempt_and_sent_in_pieces(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    """A large body takes no memory while the answer comes."""
    large = pdf(padding=5_000_000)
    loads = list[Collection[str]]()

    async def load(digests: Collection[str]) -> Mapping[str, bytes]:
        loads.append(digests)
        return {"#": large.data}

    gone = replace(TEXT, digest="gone")
    files = (replace(large, data=b""), gone)
    request = replace(asking(*files), load=load)
    claude.script(Fail(529), "Fine.")
    assert await text_of(model, request) == "Fine."
    assert loads == [{"#", "gone"}] * 2
    sent = claude.questions[-1]
    document, line, _ = sent.body["messages"][0]["content"]
    assert base64.b64decode(document["source"]["data"]) == large.data
    assert "it was deleted" in line["text"]
    assert int(sent.headers["content-length"]) > 5_000_000
    assert "transfer-encoding" not in sent.headers


async def test_other_refusals_are_not_about_a_file(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    request = replace(asking(), max_tokens=10**9)
    _, error = await broken(model, request)
    assert type(error) is ModelRejected
    claude.always("Fine.")
    assert await text_of(model, asking()) == "Fine."


@pytest.mark.parametrize("count", [1, 9, 10, 20])
async def test_many_files_leave_what_was_cached_before_them_in_reach(
    claude: ClaudeEmulator, model: ClaudeModel, count: int
) -> None:
    claude.always("A square.")
    before = replace(asking(), messages=(ChatMessage("user", "So. " * 4_000),))
    *_, first = await said(model, before)
    assert isinstance(first, Report)
    answer = ChatMessage("assistant", "A square.")
    asked = ChatMessage("user", "And these?", tuple(MANY[:count]))
    *_, then = await said(
        model, replace(before, messages=(*before.messages, answer, asked))
    )
    assert isinstance(then, Report)
    assert then.usage.cache_read == first.usage.prompt > 3_000
    assert then.usage.input == 0
    # A further answer reads the files from the cache.
    more = (*before.messages, answer, asked, answer, ChatMessage("user", "Thanks."))
    *_, last = await said(model, replace(before, messages=more))
    assert isinstance(last, Report)
    assert last.usage.cache_read == then.usage.prompt
