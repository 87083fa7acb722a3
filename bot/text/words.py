"""The words of a text, as a search finds them. Pure.

Case, accents and the marks of pointed scripts make no difference. A word is found by
its beginning, from `PREFIX_CHARS` characters on. Scripts that write no spaces between
words (Han, kana, Thai, Lao, Khmer, Burmese) are found by any part: two characters of
them in a row count as a word. SQLite's own tokenizers do one or the other: `unicode61`
takes a whole sentence of Chinese for one word, and `trigram` finds no word of two
characters, which most words of Chinese are.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

#: From how many characters on a word is also the beginning of others.
PREFIX_CHARS = 3

#: Longer words are cut: ids, hashes and addresses.
WORD_CHARS = 40

#: The most words of one search; the rest is passed over.
MOST_TERMS = 8

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUN = re.compile(f"[{_UNSPACED}]++")
# Letters and digits; and the vowel signs of Indic scripts, which are neither.
_WORD = re.compile(
    r"(?:[^\W_]|[\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e\u0eb1-\u0ecd])++"
)
_ASCII = re.compile("[a-z0-9]++")
_PARTS = re.compile(f"[{_UNSPACED}]++|[^{_UNSPACED}]++")
# Accents, and the vowel points of Hebrew and Arabic.
_MARKS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f]++")

# The greatest character: behind every word with a given beginning.
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Term:
    """One word that is searched for, folded."""

    text: str

    @property
    def ranges(self) -> tuple[tuple[str, str], ...]:
        """Return the ranges of indexed words, from the first to before the second: a
        text with the term has a word in each."""
        if not _RUN.match(self.text):
            return (self._range(self.text[:WORD_CHARS]),)
        if len(self.text) == 1:
            return ((self.text, self.text + _LAST),)
        return tuple((pair, pair + "\0") for pair in dict.fromkeys(_pairs(self.text)))

    def is_in(self, folded: str) -> bool:
        """Return whether a folded text has the term."""
        if self.text not in folded:
            return False
        if _RUN.match(self.text):
            return True
        return any(self.begins(word) for word in _split(folded))

    def begins(self, word: str) -> bool:
        """Return whether the folded `word` is found by the term."""
        if _RUN.match(self.text):
            return self.text in word
        if len(self.text) < PREFIX_CHARS:
            return word == self.text
        return word.startswith(self.text)

    @staticmethod
    def _range(word: str) -> tuple[str, str]:
        return word, word + ("\0" if len(word) < PREFIX_CHARS else _LAST)


def fold(text: str) -> str:
    """Return `text` without the differences that a search ignores."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFKC", _MARKS.sub("", apart))


def terms(text: str) -> list[Term]:
    """Return what the search for `text` looks for: each of its words once, whatever
    stands between them."""
    return [Term(word) for word in dict.fromkeys(_split(fold(text)))][:MOST_TERMS]


def indexed(text: str) -> set[str]:
    """Return the words by which `text` is found."""
    found: set[str] = set()
    for word in set(_split(fold(text))):
        if not word.isascii() and _RUN.match(word):
            # The last character alone, so that each is the beginning of some word.
            found.update(_pairs(word), word[-1:])
        else:
            found.add(word[:WORD_CHARS])
    return found


def positions(text: str, wanted: list[Term]) -> Iterator[tuple[int, int]]:
    """Yield where words of `text` stand that are found by one of `wanted`, as (from,
    to), in order."""
    for match in _WORD.finditer(text):
        for part in _PARTS.finditer(match[0]):
            word, at = fold(part[0]), match.start() + part.start()
            if _RUN.match(word):
                yield from _inside(word, at, wanted)
            elif any(term.begins(word) for term in wanted):
                yield at, at + len(part[0])


def _inside(run: str, at: int, wanted: list[Term]) -> Iterator[tuple[int, int]]:
    end = 0
    for start in range(len(run)):
        found = [len(t.text) for t in wanted if run.startswith(t.text, start)]
        if found and start >= end:
            end = start + max(found)
            yield at + start, at + end


def _split(folded: str) -> Iterator[str]:
    """Yield the words of a folded text; of scripts without spaces, whole runs."""
    if folded.isascii():
        yield from _ASCII.findall(folded)
        return
    for word in _WORD.findall(folded):
        yield from (word,) if word.isascii() else _PARTS.findall(word)


def _pairs(run: str) -> Iterator[str]:
    return (run[at : at + 2] for at in range(len(run) - 1))
