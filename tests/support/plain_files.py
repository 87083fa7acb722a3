"""Makes PDFs and pictures for tests. The libraries that make other files take half a
second to import (`sample_files`)."""

import io
from pathlib import Path

import pypdf
from PIL import Image

FOLDER = Path(__file__).parent.parent / "data" / "files"


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    result = io.BytesIO()
    image.save(result, kind, **options)
    return result.getvalue()


def pages(count: int, *, user: str | None = None) -> bytes:
    """Return a PDF of `count` empty pages. With `user`, it is encrypted with that
    password."""
    writer = pypdf.PdfWriter()
    for _ in range(count):
        writer.add_blank_page(200, 280)
    if user is not None:
        writer.encrypt(user, "owner", algorithm="RC4-128")
    result = io.BytesIO()
    writer.write(result)
    return result.getvalue()
