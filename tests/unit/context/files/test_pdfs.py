"""PDFs are counted and cut."""

import io
from dataclasses import replace
from pathlib import Path

import pypdf
import pytest

from bot.context.files import Accepted, pdfs, read
from bot.errors import FileUnread, Unread

FOLDER = Path("tests/data/files")
LONG = FOLDER / "400-pages.pdf"


def pages(data: bytes) -> int:
    reader = pypdf.PdfReader(io.BytesIO(data))
    assert not reader.is_encrypted
    return len(reader.pages)


def test_a_long_pdf_is_cut_to_its_first_pages() -> None:
    content = read(LONG, "a.pdf", Accepted(pages=100))
    assert pages(content.data) == content.pages == 100
    assert content.all_pages == 400
    assert content.tokens == 100 * (3_000 + 1_568)
    shorter = pdfs.first_pages(content, 20)
    assert pages(shorter.data) == 20
    assert shorter == replace(
        content, data=shorter.data, pages=20, tokens=content.tokens // 5
    )
    assert pdfs.first_pages(shorter, 20) is shorter


def test_a_large_pdf_is_cut_to_as_many_bytes() -> None:
    content = read(LONG, "a.pdf", Accepted(pages=600, bytes=5_000))
    assert len(content.data) <= 5_000
    assert 20 <= pages(content.data) == content.pages < 60
    with pytest.raises(FileUnread) as caught:
        read(LONG, "a.pdf", Accepted(bytes=100))
    assert caught.value.reason is Unread.TOO_LARGE


def test_what_is_not_cut_is_sent_as_it_is(tmp_path: Path) -> None:
    whole = (FOLDER / "scan.pdf").read_bytes()
    (tmp_path / "a").write_bytes(b"Content-Type: application/pdf\n\n" + whole)
    content = read(tmp_path / "a", "a.pdf", Accepted())
    assert (content.data, content.pages, content.all_pages) == (whole, 1, 1)


def test_a_pdf_that_opens_without_a_password_is_decrypted() -> None:
    content = read(FOLDER / "restricted.pdf", "a.pdf", Accepted())
    assert pages(content.data) == 2
