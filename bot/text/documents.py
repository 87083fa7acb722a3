"""Parses YAML documents written by people, with limits.

Rule 1: a document contains only the values it shows. Aliases and anchors are refused,
since eight lines of them can expand to a gigabyte. So are tags and repeated keys.
Rule 2: the depth and the number of values are checked while the document is read,
before any values are built.
Rule 3: words are not converted. YAML 1.1 takes `NO`, `off`, `12:30`, `1.10`, `0755` and
`null` for other values. Here all scalars are strings, as in the failsafe schema of YAML
1.2, and callers convert booleans and numbers explicitly.
"""

from typing import Any

import yaml

from bot.errors import ConfigError
from bot.messages import yaml as messages
from bot.text.characters import replace_lone_surrogates

# A scheme nests 4 levels deep, settings nest 8.
MOST_DEPTH = 12

# The words of YAML 1.1 (https://yaml.org/type/bool.html, https://yaml.org/type/null.html).
_TRUE = ("yes", "true", "on")
_FALSE = ("no", "false", "off")
_NOTHING = ("", "~", "null")


class UnquotedString(str):
    """A string without quotes, which may mean a boolean, a number or null."""

    __slots__ = ()


class NoDocument(ConfigError):
    """A text is not valid YAML, or is refused."""

    def __init__(self, why: str, line: int | None = None) -> None:
        #: A suffix for the description, such as " in line 3"; "" if the line is
        #: unknown.
        self.where = messages.in_line(line=line) if line else ""
        #: A clause such as "it nests too deep".
        self.why = why
        super().__init__(messages.not_yaml(where=self.where, why=why))


def parse(text: str, *, most_nodes: int) -> Any:
    """Return the YAML document `text` as dicts, lists and strings.

    An empty value is None, and a string without quotes is an `UnquotedString`. Parsing
    takes about 10 µs a character, so call this off the event loop. Raises NoDocument
    for invalid YAML, for more than `most_nodes` values, and for nesting deeper than
    `MOST_DEPTH`.
    """
    try:
        return _Loader(text, most_nodes).get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        # Errors about characters have no `problem`.
        why = getattr(error, "problem", None) or messages.CONTROL_CHARACTER
        raise NoDocument(_short(why), mark.line + 1 if mark else None) from None
    except RecursionError:
        raise NoDocument(messages.TOO_DEEP) from None


def boolean(value: object) -> bool | None:
    """Return the boolean that the unquoted word `value` means in YAML, or None."""
    if not isinstance(value, UnquotedString):
        return None
    word = value.casefold()
    return True if word in _TRUE else False if word in _FALSE else None


def is_nothing(value: object) -> bool:
    """Return whether `value` is empty or an unquoted YAML word for null."""
    return value is None or (
        isinstance(value, UnquotedString) and value.casefold() in _NOTHING
    )


def _short(what: str) -> str:
    return what if len(what) <= 200 else f"{what[:200]}…"


class _Loader(yaml.SafeLoader):
    """A loader that limits the values of one document while it composes them."""

    def __init__(self, text: str, most_nodes: int) -> None:
        super().__init__(text)
        self._left = most_nodes
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _refusal(event, messages.REFERS_TO_ITSELF)
        if getattr(event, "anchor", None) is not None:
            raise _refusal(event, messages.REFERS_TO_ITSELF)
        if getattr(event, "tag", None) is not None:
            raise _refusal(event, messages.TYPE_TAG)
        self._left -= 1
        if self._left < 0:
            raise _refusal(event, messages.TOO_MANY_VALUES)
        if self._depth >= MOST_DEPTH:
            raise _refusal(event, messages.TOO_DEEP)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refusal(key, messages.NAME_IS_A_LIST)
            if key.value in seen:
                raise _refusal(key, messages.twice(name=_short(key.value)))
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _refusal(at: Any, why: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(None, None, why, at.start_mark)


# Resolve no scalar by its form, not even the merge key `<<`.
_Loader.yaml_implicit_resolvers = {}


def _text(loader: _Loader, node: yaml.ScalarNode) -> str | None:
    # An escape can produce a lone surrogate, which can be neither stored nor sent.
    text = replace_lone_surrogates(loader.construct_scalar(node))
    if node.style is not None:
        return text
    return UnquotedString(text) if text else None


_Loader.add_constructor("tag:yaml.org,2002:str", _text)
