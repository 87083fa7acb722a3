"""Classifies support tickets, from a file or in a channel.

    from bot.triage import classify

    for answer in classify(["I was charged twice", "Nobody can sign in"]):
        print(answer.values or answer.reason)

`aclassify` is the same for coroutines; `read_scheme` reads a scheme from YAML.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.schemes.scheme import read as read_scheme
    from bot.triage.answer import Answer
    from bot.triage.bulk.api import aclassify, classify

__all__ = ["Answer", "aclassify", "classify", "read_scheme"]

_PLACES = {
    "Answer": ("bot.triage.answer", "Answer"),
    "aclassify": ("bot.triage.bulk.api", "aclassify"),
    "classify": ("bot.triage.bulk.api", "classify"),
    "read_scheme": ("bot.schemes.scheme", "read"),
}


def __getattr__(name: str) -> Any:
    # Lazy: the bot imports this package at its start and needs none of these.
    if name not in _PLACES:
        raise AttributeError(name)
    module, attribute = _PLACES[name]
    return getattr(importlib.import_module(module), attribute)
