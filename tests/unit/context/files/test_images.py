"""Images as Claude takes them."""

import importlib
import io
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image, ImageChops

from bot.context.files import Accepted, images, read
from bot.context.files.file_types import FileType, file_type
from bot.errors import FileUnread, Unread

FOLDER = Path("tests/data/files")


def opened(path: Path, accepted: Accepted | None = None) -> Image.Image:
    content = read(path, path.name, accepted or Accepted())
    image = Image.open(io.BytesIO(content.data))
    assert Image.MIME[str(image.format)] == content.media_type
    assert content.tokens == images.tokens(*image.size)
    assert not image.getexif()
    return image


def test_a_photo_is_turned_upright_and_says_nothing_of_its_place() -> None:
    image = opened(FOLDER / "photo.jpg")
    assert image.size == (240, 320)
    red, _, blue = image.getpixel((120, 40))  # type: ignore[misc]
    assert (red > 200, blue < 50) == (True, True)
    assert b"Phone" not in read(FOLDER / "photo.jpg", "", Accepted()).data


def test_a_picture_that_fits_is_sent_as_it_is() -> None:
    path = FOLDER / "screen.png"
    assert read(path, "", Accepted()).data == path.read_bytes()


def test_transparency_is_kept() -> None:
    image = opened(FOLDER / "badge.webp")
    assert image.mode == "RGBA"
    assert image.getpixel((image.width - 5, 5)) == (0, 0, 0, 0)
    assert image.getpixel((5, 5)) == (0, 128, 0, 255)


def test_of_several_frames_the_first_is_sent() -> None:
    image = opened(FOLDER / "dance.gif")
    assert image.convert("RGB").getpixel((5, 5)) == (255, 0, 0)
    assert getattr(image, "n_frames", 1) == 1


@pytest.mark.parametrize(
    ("size", "edge", "expected", "tokens"),
    [
        ((100, 100), 1568, (100, 100), 16),
        ((3136, 1568), 1568, (1568, 784), 1568),
        # A square has the most tokens at less than the longest edge.
        ((4000, 4000), 1568, (1081, 1081), 1521),
        ((4000, 4000), 2576, (1909, 1909), 4761),
        ((1, 40_000), 1568, (1, 1568), 56),
    ],
)
def test_a_picture_is_as_large_as_the_model_sees_it(
    size: tuple[int, int], edge: int, expected: tuple[int, int], tokens: int
) -> None:
    accepted = Accepted(edge=edge)
    assert images.fitting(*size, accepted) == expected
    assert images.tokens(*expected) == tokens <= accepted.image_tokens


def test_a_grey_picture_of_16_bits_keeps_its_shades(tmp_path: Path) -> None:
    image = Image.new("I;16", (2, 1))
    image.putpixel((1, 0), 0x8000)
    image.save(tmp_path / "grey.png")
    found = opened(tmp_path / "grey.png").convert("RGB")
    assert [found.getpixel((x, 0)) for x in (0, 1)] == [(0, 0, 0), (128, 128, 128)]


def test_a_large_picture_is_compressed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(images, "_MOST_PNG", 1000)
    noise = Image.effect_noise((80, 80), 90)
    clear = Image.merge("RGBA", [noise, noise.rotate(90)] * 2)
    clear.save(tmp_path / "clear.png")
    clear.convert("RGB").save(tmp_path / "opaque.png")
    assert opened(tmp_path / "clear.png", Accepted(edge=60)).format == "WEBP"
    assert opened(tmp_path / "opaque.png", Accepted(edge=60)).format == "JPEG"
    # A JPEG for printing.
    clear.convert("CMYK").save(tmp_path / "printed.jpg")
    assert opened(tmp_path / "printed.jpg").mode == "RGB"


def test_a_photo_with_damaged_notes_is_read(tmp_path: Path) -> None:
    data = (FOLDER / "photo.jpg").read_bytes()
    at = data.index(b"Exif\0\0") + 6
    damaged = data[:at] + b"XX" + data[at + 2 :]
    (tmp_path / "a.jpg").write_bytes(damaged)
    assert opened(tmp_path / "a.jpg").size == (320, 240)


@pytest.fixture
def heic(tmp_path: Path) -> Path:
    """A photo as a phone stores it: lying on its side, with the place in its Exif."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Phone"
    photo = Image.new("RGB", (640, 480), (0, 0, 200))
    photo.paste((220, 0, 0), (0, 0, 320, 480))
    pillow_heif.register_heif_opener(thumbnails=False)
    path = tmp_path / "IMG_0001.HEIC"
    photo.save(path, format="HEIF", quality=90, exif=exif.tobytes())
    return path


def test_a_photo_of_a_phone_is_a_picture_without_its_place(heic: Path) -> None:
    assert file_type(heic.read_bytes()[:4096]) is FileType.HEIC
    image = opened(heic)
    assert (image.size, image.format) == ((480, 640), "JPEG")
    above, below = (image.getpixel((240, y)) for y in (100, 540))
    assert above[0] > 180 > 60 > above[2]  # type: ignore[index]
    assert below[2] > 150 > 60 > below[0]  # type: ignore[index]
    assert b"Phone" not in read(heic, heic.name, Accepted()).data


def test_a_large_photo_of_a_phone_is_made_as_small_as_claude_sees_it(
    heic: Path,
) -> None:
    assert opened(heic, Accepted(edge=320)).size == (240, 320)


def test_half_of_a_photo_is_broken(heic: Path) -> None:
    data = heic.read_bytes()
    heic.write_bytes(data[: len(data) // 2])
    with pytest.raises(FileUnread) as caught:
        read(heic, heic.name, Accepted())
    assert caught.value.reason is Unread.BROKEN


def test_heic_needs_an_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(FileUnread) as caught:
        images.content(tmp_path / "a", FileType.HEIC, Accepted())
    assert caught.value.reason is Unread.UNSUPPORTED


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "1"])
def test_band_by_band_an_image_becomes_what_it_is_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(images, "_BAND", 32)
    noise = Image.frombytes("RGBA", (54, 90), random.Random(1).randbytes(19_440))
    drawn = noise.resize((135, 225), Image.Resampling.BICUBIC)
    drawn = drawn.convert("RGB").convert(mode) if mode != "RGBA" else drawn
    drawn.save(tmp_path / "a.png")
    seen = opened(tmp_path / "a.png", Accepted(edge=150))
    assert (seen.size, seen.format) == ((90, 150), "PNG")
    into = "RGBA" if mode == "RGBA" else "RGB"
    whole = drawn.convert(into).resize(seen.size, Image.Resampling.LANCZOS)
    off = ImageChops.difference(seen.convert(into), whole).tobytes()
    assert max(off) <= 1


def test_large_images_take_turns(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    entered = list[None]()

    @contextmanager
    def turn() -> Iterator[None]:
        entered.append(None)
        yield

    Image.new("RGB", (4_000, 4_000), "red").save(tmp_path / "a.jpg")
    for path, turns in ((FOLDER / "photo.jpg", 0), (tmp_path / "a.jpg", 1)):
        monkeypatch.setattr(images, "_LARGE", turn())
        opened(path)
        assert len(entered) == turns
