"""Splits text into words for search. Pure.

Case, accents and the vowel points of pointed scripts are ignored. A search term of at
least `PREFIX_CHARS` characters matches the beginning of a word. In scripts without
spaces between words (Han, kana, Thai, Lao, Khmer, Burmese), a term matches anywhere:
each pair of adjacent characters is indexed as a word. SQLite's own tokenizers do not
suffice: `unicode61` takes a whole Chinese sentence for one word, and `trigram` finds no
word of two characters, although most Chinese words have two.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

#: The fewest characters of a term that matches the beginning of longer words.
PREFIX_CHARS = 3

#: Longer words, such as ids, hashes and addresses, are cut.
WORD_CHARS = 40

#: The most words of one search; further words are ignored.
MOST_TERMS = 8

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUN = re.compile(f"[{_UNSPACED}]++")
# Letters, digits, and the vowel signs of Indic scripts, which are neither.
_WORD = re.compile(
    r"(?:[^\W_]|[\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e\u0eb1-\u0ecd])++"
)
_ASCII = re.compile("[a-z0-9]++")
_PARTS = re.compile(f"[{_UNSPACED}]++|[^{_UNSPACED}]++")
# Accents, and the vowel points of Hebrew and Arabic.
_MARKS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f]++")

# The highest code point. Appended to a prefix, it sorts after all words with the
# prefix.
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Term:
    """One folded word of a search."""

    text: str

    @property
    def ranges(self) -> tuple[tuple[str, str], ...]:
        """The ranges of indexed words, as (first, end) with `end` excluded.

        A text that contains the term has a word in each range.
        """
        if not _RUN.match(self.text):
            return (self._range(self.text[:WORD_CHARS]),)
        if len(self.text) == 1:
            return ((self.text, self.text + _LAST),)
        return tuple((pair, pair + "\0") for pair in dict.fromkeys(_pairs(self.text)))

    def is_in(self, folded: str) -> bool:
        """Return whether a folded text contains the term."""
        if self.text not in folded:
            return False
        if _RUN.match(self.text):
            return True
        return any(self.begins(word) for word in _split_words(folded))

    def begins(self, word: str) -> bool:
        """Return whether the term matches the folded `word`."""
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
    """Return the terms of a search for `text`: each word once, in order."""
    return [Term(word) for word in dict.fromkeys(_split_words(fold(text)))][:MOST_TERMS]


def index_words(text: str) -> set[str]:
    """Return the words under which `text` is indexed."""
    found: set[str] = set()
    for word in set(_split_words(fold(text))):
        if not word.isascii() and _RUN.match(word):
            # The last character begins no pair, so it is indexed alone.
            found.update(_pairs(word), word[-1:])
        else:
            found.add(word[:WORD_CHARS])
    return found


def positions(text: str, wanted: list[Term]) -> Iterator[tuple[int, int]]:
    """Yield the (start, end) of each match of `wanted` in `text`, in order."""
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


def _split_words(folded: str) -> Iterator[str]:
    """Yield the words of a folded text; whole runs for scripts without spaces."""
    if folded.isascii():
        yield from _ASCII.findall(folded)
        return
    for word in _WORD.findall(folded):
        yield from (word,) if word.isascii() else _PARTS.findall(word)


def _pairs(run: str) -> Iterator[str]:
    return (run[at : at + 2] for at in range(len(run) - 1))
