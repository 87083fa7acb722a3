"""YAML documents that people write, parsed within bounds.

Rule 1: a document contains what it shows. Aliases and anchors are refused, since eight
lines of them can stand for a gigabyte. So are tags and repeated keys.
Rule 2: depth and number of values are bounded while the document is read, before
anything is built from it.
Rule 3: text stays text: a date is not converted.
"""

import re
from typing import Any

import yaml

from bot.errors import ConfigError
from bot.messages import yaml as messages
from bot.text.characters import replace_lone_surrogates

# A scheme nests 4 levels deep, settings 8.
MOST_DEPTH = 12

# A longer whole number is not a valid value anywhere, and Python needs time that grows
# with the square of its length.
MOST_DIGITS = 30

_TEXT = "tag:yaml.org,2002:str"
_INT = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"
#: What stays text: dates, and the sign that merges aliases.
_AS_TEXT = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:merge")

_WHOLE_NUMBER = re.compile(r"\A[-+]?(?:0|[1-9][0-9_]*+)\Z")
_DECIMAL = re.compile(r"\A[-+]?[0-9][0-9_]*+\.[0-9_]*+(?:[eE][-+]?[0-9]++)?\Z")


class NoDocument(ConfigError):
    """A text that is not valid YAML, or is refused."""

    def __init__(self, why: str, line: int | None = None) -> None:
        #: " in line 3", to be put behind the description; "" if the line is unknown.
        self.where = messages.in_line(line=line) if line else ""
        #: A clause such as "it nests too deep".
        self.why = why
        super().__init__(messages.not_yaml(where=self.where, why=why))


def parse(text: str, *, most_nodes: int) -> Any:
    """Return the YAML document `text` as dicts, lists, texts, numbers, booleans and
    None. It takes about 10 µs a character, so call it off the event loop.

    Raises NoDocument for invalid YAML, for more than `most_nodes` values, and for what
    nests deeper than `MOST_DEPTH`.
    """
    try:
        return _Loader(text, most_nodes).get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        # An error without a problem of its own is about a character.
        why = getattr(error, "problem", None) or messages.CONTROL_CHARACTER
        raise NoDocument(_short(why), mark.line + 1 if mark else None) from None
    except RecursionError:
        raise NoDocument(messages.TOO_DEEP) from None
    except ValueError:
        raise NoDocument(messages.UNREADABLE_VALUE) from None


def _short(what: str) -> str:
    return what if len(what) <= 200 else f"{what[:200]}…"


class _Loader(yaml.SafeLoader):
    """A loader that counts the values of one document while it composes them."""

    def __init__(self, text: str, most_nodes: int) -> None:
        super().__init__(text)
        self._left = most_nodes
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _refused(event, messages.REFERS_TO_ITSELF)
        if getattr(event, "anchor", None) is not None:
            raise _refused(event, messages.REFERS_TO_ITSELF)
        if getattr(event, "tag", None) is not None:
            raise _refused(event, messages.TYPE_TAG)
        self._left -= 1
        if self._left < 0:
            raise _refused(event, messages.TOO_MANY_VALUES)
        if self._depth >= MOST_DEPTH:
            raise _refused(event, messages.TOO_DEEP)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused(key, messages.NAME_IS_A_LIST)
            if key.value in seen:
                raise _refused(key, messages.twice(name=_short(key.value)))
            seen.add(key.value)
        made = super().construct_mapping(node, deep)
        if len(made) < len(seen):
            # Python takes 1 and True for the same key.
            raise _refused(node, messages.SAME_NAMES)
        return made


def _refused(at: Any, why: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(None, None, why, at.start_mark)


def _implicit() -> dict[str, list[tuple[str, Any]]]:
    """YAML's implicit types, except dates, merges and numbers in other bases."""
    kept: dict[str, list[tuple[str, Any]]] = {}
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items():
        mine = [
            (tag, {_INT: _WHOLE_NUMBER, _FLOAT: _DECIMAL}.get(tag, pattern))
            for tag, pattern in resolvers
            if tag not in _AS_TEXT
        ]
        kept[first] = mine
    return kept


_Loader.yaml_implicit_resolvers = _implicit()


def _whole_number(loader: _Loader, node: yaml.ScalarNode) -> int | str:
    text = loader.construct_scalar(node)
    return int(text) if len(text) <= MOST_DIGITS else text


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    # An escape can write a lone surrogate, which can be neither stored nor sent.
    return replace_lone_surrogates(loader.construct_scalar(node))


_Loader.add_constructor(_INT, _whole_number)
_Loader.add_constructor(_TEXT, _text)
