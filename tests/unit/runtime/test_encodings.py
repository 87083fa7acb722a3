"""The encodings of text files are detected."""

from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.runtime import encodings
from bot.runtime.encodings import Damage, detect, lines, named

TEXTS = {
    "de": "id,text\n1,Überweisung fehlt\n2,Größe für 5 ändern\n",
    "fr": "id,texte\n1,Café déjà vu\n2,Je n’arrive pas à me connecter – c’est cassé\n",
    "es": "id,texto\n1,¿Cómo cambio mi contraseña?\n2,El niño no puede entrar\n",
    "pl": "id,text\n1,Nie mogę się zalogować\n2,Błąd płatności, proszę o zwrot\n",
    "ru": "id,text\n1,Не могу войти\n2,Списали деньги дважды\n",
    "en": "id,text\n1,I can’t log in – “error”\n2,It’s broken\n",
    "ja": "id,text\n1,ログインできません\n2,請求書が二重です\n",
    "zh": "id,text\n1,无法登录\n2,重复扣款\n",
    "tw": "id,text\n1,無法登入\n2,重複扣款\n",
    "ko": "id,text\n1,로그인이 안 됩니다\n2,결제가 두 번 되었습니다\n",
    "el": "id,text\n1,Δεν μπορώ να συνδεθώ\n2,Χρεώθηκα δύο φορές\n",
}
LEGACY = {
    "de": ("cp1252", "latin-1", "mac_roman"),
    "fr": ("cp1252", "mac_roman"),
    "es": ("cp1252", "latin-1", "mac_roman"),
    "pl": ("cp1250", "iso8859-2"),
    "ru": ("cp1251", "koi8-r", "cp866", "iso8859-5"),
    "en": ("cp1252", "mac_roman"),
    "ja": ("shift_jis", "cp932", "euc_jp", "iso2022_jp"),
    "zh": ("gbk", "gb18030"),
    "tw": ("big5",),
    "ko": ("euc_kr", "cp949"),
    "el": ("cp1253",),
}
UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-32")
WITHOUT_MARK = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")


def read(path: Path, content: bytes) -> tuple[str, Damage]:
    path.write_bytes(content)
    damage = Damage()
    return "".join(lines(path, detect(path), damage)), damage


@pytest.mark.parametrize(
    ("language", "codec"), [(each, codec) for each in LEGACY for codec in LEGACY[each]]
)
def test_a_guess_is_right_and_says_that_it_is_one(
    tmp_path: Path, language: str, codec: str
) -> None:
    file, text = tmp_path / "t.csv", TEXTS[language]
    assert read(file, text.encode(codec)) == (text, Damage())
    found = detect(file)
    assert found.guessed
    assert found.words
    assert all(word in text for word in found.words)


@pytest.mark.parametrize("language", TEXTS)
def test_unicode_is_known(tmp_path: Path, language: str) -> None:
    for codec in (*UNICODE, *WITHOUT_MARK):
        file, text = tmp_path / "t.csv", TEXTS[language]
        assert read(file, text.encode(codec)) == (text, Damage()), codec
        assert detect(file).guessed == (codec in WITHOUT_MARK), codec


@pytest.mark.parametrize("broken", [b"\xc3", b"\xe9", b"\xff", b"\x80", b"\xe2\x80"])
def test_a_broken_byte_costs_one_character(tmp_path: Path, broken: bytes) -> None:
    good = "id,text\n1,Überweisung\n2,Café déjà vu\n3,"
    content = good.encode() + broken + ",x\n4,Größe\n".encode()
    text, damage = read(tmp_path / "t.csv", content)
    assert text == f"{good}\ufffd,x\n4,Größe\n"
    assert (damage.invalid.count, str(damage.invalid)) == (1, "line 4")


def test_a_broken_byte_among_ascii_is_no_other_encoding(tmp_path: Path) -> None:
    for before, after in ((b"It ", b" broke"), (b"cut ", b""), (b"", b",x")):
        content = b"id,text\n1," + before + b"\xc3" + after + b"\n2,Pay\n"
        text, damage = read(tmp_path / "t.csv", content)
        assert text == content.decode("utf-8", "replace")
        assert str(damage.invalid) == "line 2"


def test_bytes_of_windows_in_a_file_of_utf_8_are_named(tmp_path: Path) -> None:
    content = "1,Größe für Käse\n".encode() * 20 + "2,Café\n".encode("cp1252") * 10
    text, damage = read(tmp_path / "t.csv", content)
    assert text.count("Größe für Käse") == 20
    assert text.count("Caf\ufffd") == 10
    assert damage.invalid.count == 10
    assert str(damage.invalid) == "lines 21, 22, 23 and others"


def test_what_breaks_a_guess_behind_its_sample_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encodings, "_SAMPLE", 20_000)
    text = TEXTS["ja"] * 600
    found, damage = read(tmp_path / "t.csv", text.encode("cp932") + b"\x81\n")
    assert found == f"{text}\ufffd\n"
    assert str(damage.invalid) == "line 1,801"


def test_stray_nul_bytes_are_no_utf_16(tmp_path: Path) -> None:
    for text in ("id,text\n1,It\0broke\n", "a,b\n\0c,d\n\0", "id,text\n1,x\n\0\0\0\0"):
        found, damage = read(tmp_path / "t.csv", text.encode())
        assert found == text
        assert damage.nul.count == text.count("\0")


def test_two_marks_are_no_text(tmp_path: Path) -> None:
    for codec in ("utf-8-sig", "utf-16", "utf-32"):
        found, _ = read(tmp_path / "t.csv", "\ufeff\ufeffid,text\n".encode(codec))
        assert found == "id,text\n"


def test_a_line_that_never_ends_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Line 2 is longer than 16,000,000"):
        read(tmp_path / "t.csv", b"text\n" + b"x" * 16_000_001)


@pytest.mark.parametrize("name", ["klingon", "base64", "rot13", "", "x" * 99])
def test_an_encoding_that_there_is_not(name: str) -> None:
    with pytest.raises(ConfigError, match="There is no encoding"):
        named(name)


def test_a_file_that_is_not_in_the_named_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"id,text\n1,Hello\n")
    with pytest.raises(ConfigError, match="The file is no text in utf-16"):
        list(lines(tmp_path / "t.csv", named("utf16"), Damage()))
