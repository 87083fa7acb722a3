"""Makes files of about 25 MB, and smaller ones for threads."""

import base64
import io
import random
from collections.abc import Callable, Mapping

import docx
import pptx
import pypdf
import xlsxwriter
from PIL import Image

SIZE = 25_000_000


def log(size: int = SIZE) -> bytes:
    """Return a log, of which every encoding and line is checked until enough is
    read."""
    line = "2026-11-30 12:00:{:02} INFO request {} took {} ms\n"
    lines = (line.format(n % 60, n, n % 977) for n in range(size // 47 + 1))
    return "".join(lines).encode()[:size]


def photo(width: int = 6_000, height: int = 4_000, quality: int = 96) -> bytes:
    """Return a photo: twenty-four megapixels of a camera, with noise."""
    return _saved(_noise(width, height, 2), "JPEG", quality=quality)


def picture(width: int = 3_400, height: int = 2_450) -> bytes:
    """Return a PNG of eight megapixels, which compresses badly."""
    return _saved(_noise(width, height, 1), "PNG", compress_level=1)


def scan(size: int = SIZE) -> bytes:
    """Return a PDF of scanned pages."""
    writer = pypdf.PdfWriter()
    for number in range(max(1, size // 420_000)):
        page = io.BytesIO()
        _noise(700, 990, 1, number).save(page, "PDF", quality=75)
        writer.append(pypdf.PdfReader(page))
    return _written(writer.write)


def report(photos: int = 35) -> bytes:
    """Return a Word document with pages of text, and photos."""
    made = docx.Document()
    for _ in range(200):
        made.add_paragraph("The build is green, and the release goes out today. " * 10)
    for number in range(photos):
        made.add_picture(_page(number))
    return _written(made.save)


def deck(photos: int = 35) -> bytes:
    """Return slides with one photo each."""
    made = pptx.Presentation()
    for number in range(photos):
        slide = made.slides.add_slide(made.slide_layouts[5])
        assert slide.shapes.title is not None
        slide.shapes.title.text = f"Slide {number}"
        slide.shapes.add_picture(_page(number), 0, 0)
    return _written(made.save)


def book(rows: int = 31_000) -> bytes:
    """Return a sheet of rows with long texts."""
    result, chance = io.BytesIO(), random.Random(3)
    with xlsxwriter.Workbook(result, {"constant_memory": True}) as made:
        sheet = made.add_worksheet()
        for row in range(rows):
            text = base64.b64encode(chance.randbytes(600)).decode()
            sheet.write_row(row, 0, [row, text])
    return result.getvalue()


#: The large files, by name.
LARGE: Mapping[str, Callable[[], bytes]] = {
    "app.log": log,
    "photo.jpg": photo,
    "picture.png": picture,
    "scan.pdf": scan,
    "report.docx": report,
    "deck.pptx": deck,
    "book.xlsx": book,
}


def _page(number: int) -> io.BytesIO:
    return io.BytesIO(_saved(_noise(1_000, 800, 1, number), "JPEG", quality=90))


def _noise(width: int, height: int, grain: int, seed: int = 0) -> Image.Image:
    """Return an image of random dots of `grain` pixels, which compresses badly."""
    size = width // grain, height // grain
    data = random.Random(seed).randbytes(size[0] * size[1] * 3)
    made = Image.frombytes("RGB", size, data)
    return made.resize((width, height), Image.Resampling.BICUBIC)


def _saved(image: Image.Image, kind: str, **options: int) -> bytes:
    return _written(lambda into: image.save(into, kind, **options))


def _written(write: Callable[[io.BytesIO], object]) -> bytes:
    result = io.BytesIO()
    write(result)
    return result.getvalue()
