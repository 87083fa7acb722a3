"""A request leaves out its oldest files in steps."""

from dataclasses import replace

from bot.context import file_limits, long_threads
from bot.context.file_limits import FileLimits
from bot.domain.attachment import FileKind
from bot.domain.completion import ChatMessage, RequestFile
from bot.errors import Unread

IMAGE = RequestFile("a.png", "#", FileKind.IMAGE, "image/png", 100, size=10)
PDF = RequestFile("a.pdf", "#p", FileKind.PDF, "application/pdf", 900, 4, 30)


def thread(count: int, *files: RequestFile) -> list[ChatMessage]:
    text = "<message >hello</message>"
    return [ChatMessage("user", text, files) for _ in range(count)]


def left_out(conversation: list[ChatMessage]) -> int:
    files = [file for each in conversation for file in each.files]
    unread = [nth for nth, file in enumerate(files) if file.unread]
    assert unread == list(range(len(unread))), "not the oldest"
    return len(unread)


def test_the_oldest_files_are_left_out_in_steps() -> None:
    def cut(count: int) -> int:
        return left_out(file_limits.limit_files(thread(count, IMAGE), FileLimits()))

    assert [cut(count) for count in (20, 21, 30, 31, 40)] == [0, 10, 10, 20, 20]
    for limits in (FileLimits(size=100), FileLimits(tokens=1_000)):
        conversation = file_limits.limit_files(thread(12, IMAGE), limits)
        assert left_out(conversation) == 5
    pages = FileLimits(pages=20)
    assert left_out(file_limits.limit_files(thread(6, PDF), pages)) == 3


def test_what_a_model_does_not_take_is_not_lost_for_another() -> None:
    conversation = thread(1, IMAGE, PDF)
    limits = FileLimits(images=False, pdfs=False)
    [entry] = file_limits.limit_files(conversation, limits)
    assert [f.unread for f in entry.files] == [Unread.NOT_TAKEN] * 2
    assert file_limits.limit_files(conversation, FileLimits()) == conversation


def test_a_refused_file_is_left_out() -> None:
    conversation = thread(2, IMAGE, PDF)
    refused = file_limits.without(conversation, {"#": Unread.REFUSED})
    assert refused[1].files[0] == replace(IMAGE, unread=Unread.REFUSED)


def test_a_thread_is_cut_by_the_tokens_of_its_files() -> None:
    heavy = replace(IMAGE, tokens=10_000, data=b"x")
    conversation = thread(10, heavy)
    most = 130_000
    cut, missing = long_threads.fit(conversation, most)
    assert missing
    assert [f.unread for f in cut[0].files] == [Unread.TOO_MANY] * 2
    assert cut[-1] == conversation[-1]
    assert all(f.unread is None for each in cut[1:] for f in each.files)
    # The files of the question stay, whatever its text is.
    long = ChatMessage("user", "<message >" + "q" * 200_000, (heavy,))
    cut, _ = long_threads.fit([*conversation, long], most)
    [entry] = cut
    assert entry.files[-1] == heavy
    assert 50_000 < len(entry.content) < most
