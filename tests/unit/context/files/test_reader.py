"""Files are read as people attach them, and malicious files do no harm."""

import random
import struct
from pathlib import Path

import pytest

from bot.context.files import Accepted, read
from bot.domain.attachment import FileContent, FileKind
from bot.errors import FileUnread, Unread
from tests.support.zip_files import open_sheet, zipped

FOLDER = Path("tests/data/files")

IMAGE, PDF, TEXT = FileKind.IMAGE, FileKind.PDF, FileKind.TEXT
OUTCOMES = {
    "photo.jpg": IMAGE,
    "screen.png": IMAGE,
    "badge.webp": IMAGE,
    "dance.gif": IMAGE,
    # The type is that of the content.
    "picture.pdf": IMAGE,
    "scan.pdf": PDF,
    "400-pages.pdf": PDF,
    "restricted.pdf": PDF,
    "costs.xlsx": TEXT,
    "far.xlsx": TEXT,
    "stock.xlsx": TEXT,
    "prices.xls": TEXT,
    "hours.ods": TEXT,
    "contract.docx": TEXT,
    "roadmap.pptx": TEXT,
    "service.log": TEXT,
    "umsatz.csv": TEXT,
    "events.json": TEXT,
    "page.html": TEXT,
    "logo.svg": TEXT,
    "start.sh": TEXT,
    "truncated.png": Unread.BROKEN,
    "huge.png": Unread.TOO_LARGE,
    "password.pdf": Unread.ENCRYPTED,
    "no-pages.pdf": Unread.EMPTY,
    "locked.xlsx": Unread.ENCRYPTED,
    "far.xls": Unread.TOO_LARGE,
    "entities.docx": Unread.BROKEN,
    "bomb.docx": Unread.BROKEN,
    "letter.doc": Unread.UNSUPPORTED,
    "empty.txt": Unread.EMPTY,
    "blank.txt": Unread.EMPTY,
    "setup.exe": Unread.UNSUPPORTED,
    "noise.dat": Unread.UNSUPPORTED,
    "clip.mp4": Unread.UNSUPPORTED,
    "photos.zip": Unread.UNSUPPORTED,
}
TEXTS = {
    "costs.xlsx": """\
## Sheet: Costs
| Costs of the project |
| Day | What | Euro |
| 2026-11-02 | Server \\| EU | 120.5 |
| 2026-11-03 | Licence | 79 |
|  | Sum | 199.5 |
## Sheet: Rates (hidden)
| EUR | 1.1 | TRUE |""",
    "far.xlsx": """\
## Sheet: Far
| near | by |
[Of long sheets only the beginning is shown.]""",
    "stock.xlsx": """\
## Sheet: Stock
| Item | Count |
| Bolt | 40 |
| Nut | 2 |
| Sum |""",
    "prices.xls": "## Sheet: Prices\n| Item | € |\n| Bolt | 0.25 |",
    "hours.ods": """\
## Sheet: Hours
| Who |  |  | Hours |
| Ada | 2026-11-02 |  | 7.5 |
| Ada | 2026-11-02 |  | 7.5 |""",
    "contract.docx": """\
# Contract

The price is 120 Euro a month.

- Support by mail
- Support by phone

| Plan | Users |
| Small | 5 (or fewer) |

See Terms (https://example.com/terms)

[picture: a chart]""",
    "roadmap.pptx": """\
## Slide 1: Road map
Ship it
  before May
Notes: Say that May is a guess.
## Slide 2
In a group
| Who | When |
| Ada | May |""",
    "service.log": """\
2026-11-02 10:00:00 INFO start
2026-11-02 10:00:01 ERROR Größe unbekannt""",
    "umsatz.csv": "Kunde;Umsatz\nMüller & Söhne;1.200 €\nFrançois Café;80 €",
    "start.sh": "#!/bin/sh\necho '%PDF-'",
}


def outcome(path: Path, accepted: Accepted | None = None) -> FileContent | Unread:
    try:
        return read(path, path.name, accepted or Accepted())
    except FileUnread as error:
        return error.reason


def test_each_file_is_read_as_its_content_says() -> None:
    found = {path.name: outcome(path) for path in FOLDER.iterdir()}
    kinds = {n: f.kind if isinstance(f, FileContent) else f for n, f in found.items()}
    assert kinds == OUTCOMES
    for name, text in TEXTS.items():
        content = found[name]
        assert isinstance(content, FileContent)
        assert content.data.decode() == text, name
        assert (content.media_type, content.cut) == ("text/plain", False)


def test_what_the_model_does_not_take_is_not_read() -> None:
    none = Accepted(images=False, pdfs=False)
    assert outcome(FOLDER / "photo.jpg", none) is Unread.NOT_TAKEN
    assert outcome(FOLDER / "scan.pdf", none) is Unread.NOT_TAKEN
    assert isinstance(outcome(FOLDER / "umsatz.csv", none), FileContent)


def test_damage_is_a_reason_and_never_an_error(tmp_path: Path) -> None:
    at_random = random.Random(1)
    file = tmp_path / "file"
    for path in sorted(FOLDER.iterdir()):
        whole = path.read_bytes()
        for _ in range(2 if len(whole) > 10_000 else 8):
            broken = bytearray(whole[: at_random.randint(0, len(whole))])
            for _ in range(len(broken) // 500 + 1 if broken else 0):
                broken[at_random.randrange(len(broken))] = at_random.randrange(256)
            file.write_bytes(broken)
            assert outcome(file), path.name


BLANK = '<table:table-cell table:number-columns-repeated="99999999"/>'
ONE = (
    '<table:table-cell table:number-columns-repeated="99999999"'
    ' office:value-type="float" office:value="1"/>'
)
TABLE = (
    '<table:table table:name="A"><table:table-row'
    ' table:number-rows-repeated="99999999">{}</table:table-row></table:table>'
)
WORD = {"[Content_Types].xml": "<Types/>"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        # An archive without a directory, or with a password.
        (b"PK\x03\x04" + bytes(100), Unread.BROKEN),
        (
            zipped({"word/document.xml": b"<a/>"}).replace(
                b"PK\x01\x02\x14\x03\x14\0\0", b"PK\x01\x02\x14\x03\x14\0\1"
            ),
            Unread.ENCRYPTED,
        ),
        # XML in which a document type cannot be seen.
        (
            zipped(WORD | {"word/document.xml": "<!DOCTYPE a><a/>".encode("utf-16")}),
            Unread.BROKEN,
        ),
        (
            zipped(WORD | {"word/document.xml": '<?xml encoding="cp037"?><a/>'}),
            Unread.BROKEN,
        ),
        (zipped(WORD | {"word/document.xml": "<a>" * 5000}), Unread.BROKEN),
        (open_sheet(TABLE.format(BLANK)), TEXT),
        (open_sheet(TABLE.format(ONE)), TEXT),
        (open_sheet('<!DOCTYPE a [<!ENTITY b "c">]>'), Unread.BROKEN),
        # A page tree in which each page stands for ten.
        (
            b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
            + b"".join(
                b"%d 0 obj<</Type/Pages/Kids[%s]>>endobj\n"
                % (n, b"%d 0 R " % (n + 1) * 10)
                for n in range(2, 12)
            )
            + b"12 0 obj<</Type/Page>>endobj\ntrailer<</Root 1 0 R/Size 13>>\n%%EOF",
            Unread.BROKEN,
        ),
        (b"%PDF-1.7\n" + bytes(5000), Unread.BROKEN),
        (b"\0\0\0\x18ftypheic" + bytes(100), Unread.BROKEN),
    ],
)
def test_what_is_made_to_do_harm_does_none(
    tmp_path: Path, content: bytes, expected: Unread | FileKind
) -> None:
    (tmp_path / "file").write_bytes(content)
    found = outcome(tmp_path / "file")
    assert (found.kind if isinstance(found, FileContent) else found) is expected


def test_an_archive_of_too_many_members_is_not_read(tmp_path: Path) -> None:
    whole = (FOLDER / "contract.docx").read_bytes()
    # The end record has the number of members twice.
    said = struct.pack("<2H", 10_001, 10_001)
    (tmp_path / "file").write_bytes(whole[:-14] + said + whole[-10:])
    assert outcome(tmp_path / "file") is Unread.BROKEN


def test_more_xml_than_is_parsed_is_not_read(tmp_path: Path) -> None:
    # Not much like itself.
    xml = random.Random(1).randbytes(90_000) * 34
    (tmp_path / "file").write_bytes(zipped(WORD | {"word/document.xml": xml}))
    assert outcome(tmp_path / "file") is Unread.TOO_LARGE
