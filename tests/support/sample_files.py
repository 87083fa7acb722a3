"""Makes the files in tests/data/files: files that people attach, and files that must
never be opened. `python -m tests.support.sample_files` writes all of them."""

import datetime
import io
import json
import struct
import zlib
from collections.abc import Callable

import docx
import openpyxl
import pptx
import xlsxwriter
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from PIL import Image, ImageDraw
from pptx.util import Inches
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from tests.support.ole_files import old_workbook, ole_file
from tests.support.plain_files import FOLDER, pages, saved
from tests.support.zip_files import changed, open_sheet, zipped


def photo() -> bytes:
    """Return a photo as a phone writes it: rotated, with EXIF data for the orientation
    and the location. Its upper half is red when it is upright."""
    image = Image.new("RGB", (320, 240), "blue")
    ImageDraw.Draw(image).rectangle((0, 0, 159, 239), fill="red")
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Phone"
    exif.get_ifd(0x8825)[1] = "N"
    return saved(image, "JPEG", exif=exif, quality=90)


def scan() -> bytes:
    """Return a PDF page without text: the picture of a letter."""
    page = Image.new("L", (200, 280), 255)
    ImageDraw.Draw(page).text((20, 20), "INVOICE 4711", fill=0)
    result = io.BytesIO()
    drawn = canvas.Canvas(result, pagesize=(200, 280), invariant=1)
    drawn.drawImage(ImageReader(page), 0, 0)
    drawn.save()
    return result.getvalue()


def workbook() -> bytes:
    """Return a workbook with formulas, merged cells, dates and a hidden sheet."""
    result = io.BytesIO()
    options = {"in_memory": True}
    with xlsxwriter.Workbook(result, options) as book:
        book.set_properties({"created": datetime.datetime(2026, 1, 1)})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet = book.add_worksheet("Costs")
        sheet.merge_range("A1:C1", "Costs of the project")
        sheet.write_row("A2", ["Day", "What", "Euro"])
        sheet.write_datetime("A3", datetime.datetime(2026, 11, 2), day)
        sheet.write_row("B3", ["Server | EU", 120.5])
        sheet.write_datetime("A4", datetime.datetime(2026, 11, 3), day)
        sheet.write_row("B4", ["Licence", 79])
        sheet.write_string("B6", "Sum")
        sheet.write_formula("C6", "=SUM(C3:C5)", None, 199.5)
        hidden = book.add_worksheet("Rates")
        hidden.write_row("A1", ["EUR", 1.1, True])
        hidden.hide()
    return result.getvalue()


def sparse_workbook() -> bytes:
    """Return a workbook with two cells at opposite ends of a sheet of 17 billion
    cells."""
    result = io.BytesIO()
    with xlsxwriter.Workbook(result, {"in_memory": True}) as book:
        book.set_properties({"created": datetime.datetime(2026, 1, 1)})
        sheet = book.add_worksheet("Far")
        sheet.write_row("A1", ["near", "by"])
        sheet.write_string("XFD1048576", "far away")
    return result.getvalue()


def uncalculated() -> bytes:
    """Return a workbook whose formula has no stored result."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Stock"
    for row in (["Item", "Count"], ["Bolt", 40], ["Nut", 2], ["Sum", "=SUM(B2:B3)"]):
        sheet.append(row)
    result = io.BytesIO()
    book.save(result)
    return result.getvalue()


def hours() -> bytes:
    """Return an .ods in which equal rows and empty cells are stored once with a
    count."""
    cell = '<table:table-cell office:value-type="{}" {}><text:p>{}</text:p>'
    end = "</table:table-cell>"
    note = "<office:annotation><text:p>a remark</text:p></office:annotation>"
    row = "<table:table-row{}>{}</table:table-row>"
    head = cell.format("string", "", "Who") + note + end
    head += '<table:table-cell table:number-columns-repeated="2"/>'
    head += cell.format("string", "", "Hours") + end
    ada = cell.format("string", "", "Ada") + end
    ada += cell.format("date", 'office:date-value="2026-11-02"', "2 Nov") + end
    ada += "<table:table-cell/>"
    ada += cell.format("float", 'office:value="7.5"', "7,50") + end
    blank = '<table:table-cell table:number-columns-repeated="16384"/>'
    return open_sheet(
        '<table:table table:name="Hours">'
        + row.format("", head)
        + row.format(' table:number-rows-repeated="2"', ada)
        + row.format(' table:number-rows-repeated="1048573"', blank)
        + "</table:table>"
    )


def document() -> bytes:
    """Return a contract with tracked changes, a list, a table, a link and a linked
    picture."""
    made = docx.Document()
    # The template has a hundred more, which take most of the time of reading it.
    for style in made.styles:
        if style.name not in ("Normal", "Heading 1", "List Bullet", "Normal Table"):
            style.delete()
    made.add_heading("Contract", 1)
    paragraph = made.add_paragraph("The price is ")
    for tag, inner, text in (("w:del", "w:delText", "100"), ("w:ins", "w:t", "120")):
        change, run, words = (OxmlElement(each) for each in (tag, "w:r", inner))
        change.set(qn("w:author"), "Ada")
        change.set(qn("w:id"), "7")
        words.text = text
        run.append(words)
        change.append(run)
        paragraph._p.append(change)
    paragraph.add_run(" Euro a month.")
    made.add_paragraph("Support by mail", style="List Bullet")
    made.add_paragraph("Support by phone", style="List Bullet")
    table = made.add_table(2, 2)
    for cell, text in zip(
        [*table.rows[0].cells, *table.rows[1].cells],
        ["Plan", "Users", "Small", "5\n(or fewer)"],
        strict=True,
    ):
        cell.text = text
    rel = made.part.relate_to("https://example.com/terms", _REL + "hyperlink", True)
    link = parse_xml(
        f'<w:hyperlink r:id="{rel}" {nsdecls("w", "r")}><w:r><w:t>Terms</w:t></w:r>'
        "</w:hyperlink>"
    )
    made.add_paragraph("See ")._p.append(link)
    picture = made.part.relate_to("http://127.0.0.1:9/pixel.png", _REL + "image", True)
    made.add_paragraph()._p.append(parse_xml(_LINKED_PICTURE.format(picture)))
    result = io.BytesIO()
    made.save(result)
    # Add the macros of a .docm.
    members = {"word/vbaProject.bin": lambda old: b"macro"}
    return changed(result.getvalue(), members)


_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_LINKED_PICTURE = (
    f"<w:r {nsdecls('w', 'wp', 'a', 'pic', 'r')}><w:drawing><wp:inline>"
    '<wp:docPr id="1" name="x" descr="a chart"/><a:graphic><a:graphicData><pic:pic>'
    '<pic:blipFill><a:blip r:link="{}"/></pic:blipFill></pic:pic></a:graphicData>'
    "</a:graphic></wp:inline></w:drawing></w:r>"
)


def entities() -> bytes:
    """Return a document whose XML entities expand to gigabytes."""
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    doctype = f'<!DOCTYPE w:document [<!ENTITY l0 "lol">{lol}]>'.encode()

    def laugh(xml: bytes) -> bytes:
        at = xml.index(b"<w:document")
        return xml[:at] + doctype + xml[at:].replace(b"Contract", b"&l9;")

    return changed(document(), {"word/document.xml": laugh})


def bomb() -> bytes:
    """Return a document that decompresses to thirty million blanks."""
    return zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "word/document.xml": b" " * 30_000_000,
        }
    )


def slides() -> bytes:
    """Return slides with a title, texts in a group, a table, and notes."""
    made = pptx.Presentation()
    first = made.slides.add_slide(made.slide_layouts[1])
    first.shapes.title.text = "Road map"
    frame = first.placeholders[1].text_frame
    frame.text = "Ship it"
    deeper = frame.add_paragraph()
    deeper.text, deeper.level = "before May", 1
    first.notes_slide.notes_text_frame.text = "Say that May is a guess."
    second = made.slides.add_slide(made.slide_layouts[6])
    group = second.shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, 9, 9).text_frame.text = "In a group"
    table = second.shapes.add_table(2, 2, 0, 0, Inches(3), Inches(1)).table
    for row, texts in enumerate((("Who", "When"), ("Ada", "May"))):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    result = io.BytesIO()
    made.save(result)
    return result.getvalue()


def badge() -> bytes:
    """Return a half-transparent picture that is larger than the size models see."""
    image = Image.new("RGBA", (2000, 1000), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((0, 0, 999, 999), fill=(0, 128, 0, 255))
    return saved(image, "WEBP", lossless=True)


def dance() -> bytes:
    """Return a GIF with three frames, of which the first is red."""
    frames = [Image.new("P", (60, 40)) for _ in range(3)]
    for frame, colour in zip(
        frames, ((255, 0, 0), (0, 255, 0), (0, 0, 255)), strict=True
    ):
        frame.putpalette(colour)
    return saved(frames[0], "GIF", save_all=True, append_images=frames[1:])


def screen() -> bytes:
    """Return a screenshot that can be sent unchanged."""
    image = Image.new("RGB", (120, 80), "white")
    ImageDraw.Draw(image).line((0, 0, 119, 79), fill="black")
    return saved(image, "PNG")


def huge_picture() -> bytes:
    """Return the beginning of a PNG whose header states 20,000 × 20,000 pixels."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checked = zlib.crc32(name + content)
        return (
            struct.pack(">L", len(content))
            + name
            + content
            + struct.pack(">L", checked)
        )

    header = struct.pack(">LLBBBBB", 20_000, 20_000, 8, 6, 0, 0, 0)
    pixels = zlib.compress(bytes(20_000_000), 9)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", pixels)
        + chunk(b"IEND", b"")
    )


_LOG = "2026-11-02 10:00:00 INFO start\r\n2026-11-02 10:00:01 ERROR Größe unbekannt\r\n"
_CSV = "Kunde;Umsatz\nMüller & Söhne;1.200 €\nFrançois Café;80 €\n"
_SVG = '<svg xmlns="http://www.w3.org/2000/svg"><circle r="5"/></svg>\n'
_EVENTS = [{"id": 1, "what": "login"}, {"id": 2, "what": "straße"}]

FILES: dict[str, Callable[[], bytes]] = {
    "photo.jpg": photo,
    "screen.png": screen,
    "badge.webp": badge,
    "dance.gif": dance,
    "truncated.png": lambda: screen()[:-60],
    "huge.png": huge_picture,
    "picture.pdf": screen,
    "scan.pdf": scan,
    "400-pages.pdf": lambda: pages(400),
    "password.pdf": lambda: pages(1, user="secret"),
    "restricted.pdf": lambda: pages(2, user=""),
    "no-pages.pdf": lambda: pages(0),
    "costs.xlsx": workbook,
    "far.xlsx": sparse_workbook,
    "stock.xlsx": uncalculated,
    "locked.xlsx": lambda: ole_file({"EncryptionInfo": b"", "EncryptedPackage": b""}),
    "prices.xls": lambda: old_workbook(
        {"Prices": {(0, 0): "Item", (0, 1): "€", (1, 0): "Bolt", (1, 1): 0.25}}
    ),
    "far.xls": lambda: old_workbook({"A": {(0, 0): "near", (65535, 255): "far"}}),
    "hours.ods": hours,
    "contract.docx": document,
    "entities.docx": entities,
    "bomb.docx": bomb,
    "letter.doc": lambda: ole_file({"WordDocument": b"Dear Sir"}),
    "roadmap.pptx": slides,
    "service.log": lambda: b"\xff\xfe" + _LOG.encode("utf-16-le"),
    "umsatz.csv": lambda: _CSV.encode("cp1252"),
    "events.json": lambda: json.dumps(_EVENTS, ensure_ascii=False).encode(),
    "page.html": lambda: b"<!DOCTYPE html>\n<title>Hi</title>\n<p>Text\n",
    "logo.svg": _SVG.encode,
    "start.sh": lambda: b"\xef\xbb\xbf#!/bin/sh\necho '%PDF-'\n",
    "empty.txt": lambda: b"",
    "blank.txt": lambda: b" \n\t\n",
    "setup.exe": lambda: b"MZ\x90\0\3\0\0\0" + bytes(range(256)) * 8,
    "noise.dat": lambda: zlib.compress(str([*range(900)]).encode())[2:],
    "clip.mp4": lambda: b"\0\0\0\x18ftypisom" + bytes(100),
    "photos.zip": lambda: zipped({"a.jpg": b"a", "b.jpg": b"b"}),
}

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, make in FILES.items():
        (FOLDER / name).write_bytes(make())
