"""Converts values for PostgreSQL, so that they read the same as from SQLite.

Rule 1: a truth value is 0 or 1, and a sum of integers is an integer.
Rule 2: PostgreSQL accepts no NUL in a text. NUL is stored as `NUL_MARK`, a code point
that Unicode assigns to no character, and read as NUL. Only this module does this.
"""

import logging
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.adapt import AdaptersMap, Buffer, Dumper, Loader
from psycopg.types.numeric import Int8Dumper

# It logs errors that follow others, including their values.
logging.getLogger("psycopg").setLevel(logging.CRITICAL)

#: Stands for NUL in a text (Unicode 15, section 23.7: noncharacters).
NUL_MARK = "\ufdd0"


class _TextDumper(Dumper):
    # No type: the server uses the type of the column or parameter.
    oid = 0

    def dump(self, obj: Any) -> Buffer:
        # A lone surrogate raises UnicodeError, as in SQLite.
        text: str = obj
        return (text.replace("\0", NUL_MARK) if "\0" in text else text).encode()


class _TextLoader(Loader):
    def load(self, data: Buffer) -> str:
        text = bytes(data).decode()
        return text.replace(NUL_MARK, "\0") if NUL_MARK in text else text


class _BoolDumper(Dumper):
    oid = psycopg.adapters.types["int8"].oid

    def dump(self, obj: Any) -> Buffer:
        return b"1" if obj else b"0"


class _BoolLoader(Loader):
    def load(self, data: Buffer) -> int:
        return int(data == b"t")


class _NumericLoader(Loader):
    def load(self, data: Buffer) -> int | float:
        value = Decimal(bytes(data).decode())
        return int(value) if value == value.to_integral_value() else float(value)


def adapters() -> AdaptersMap:
    """Return the adapters of every connection."""
    found = AdaptersMap(psycopg.adapters)
    found.register_dumper(str, _TextDumper)
    found.register_dumper(bool, _BoolDumper)
    # One type for all integers, so that a prepared statement serves small and large
    # numbers.
    found.register_dumper(int, Int8Dumper)
    found.register_loader("text", _TextLoader)
    found.register_loader("bool", _BoolLoader)
    found.register_loader("numeric", _NumericLoader)
    return found
