"""Writes settings as a YAML document, and reads them back. Pure.

Rule: a document is validated as a whole before anything is changed, and all mistakes
are reported at once, each with its path.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml

from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import Change, Setting
from bot.errors import ConfigError, Unacceptable
from bot.messages import import_export as messages
from bot.messages import values
from bot.settings import scope_ids
from bot.settings.options import BY_NAME, OFF, ON, OPTIONS, Option, sequences
from bot.text import documents
from bot.text.documents import NoDocument
from bot.ui.elements import Kind

VERSION = 1

#: A longer file is not a settings file: nobody writes more by hand.
MOST_CHARS = 20_000_000

#: Longer than the ids of any platform.
MOST_NAME_CHARS = 200
#: Enough for about 20,000 channels with ten settings each.
MOST_NODES = 500_000

#: The keys of the scopes within a scope.
_INNER = {ScopeLevel.WORKSPACE: "channels", ScopeLevel.CHANNEL: "threads"}

HEAD = messages.HEAD


def write(settings: Iterable[Setting], texts: Mapping[str, str]) -> str:
    """Return `settings` as a YAML document; `texts` maps version ids to the texts of
    versioned options."""
    document: dict[str, Any] = {}
    for setting in settings:
        option = BY_NAME.get(setting.name)
        if option is None or setting.place.level is ScopeLevel.OPERATOR:
            continue
        value = texts[setting.value] if option.versioned else setting.value
        _node(document, setting.place)[option.name] = _readable(option, value)
    body = yaml.dump(
        {"version": VERSION, **document},
        Dumper=_Dumper,
        allow_unicode=True,
        sort_keys=False,
        width=1_000_000,
    )
    return HEAD + body


@dataclass(frozen=True, slots=True)
class Imported:
    """The content of a document."""

    #: The changes that make the settings equal to the document.
    changes: list[Change]
    #: The workspaces that the document names, also those without a setting.
    workspaces: frozenset[Scope]


def read(text: str, today: date) -> Imported:
    """Return the content of the document `text`.

    Raises ConfigError that lists every mistake.
    """
    problems: list[str] = []
    document = _parse(text)
    changes: list[Change] = []
    named: set[Scope] = set()
    if document.pop("version", None) != str(VERSION):
        problems.append(messages.version_must_be(version=VERSION))
    for platform, workspaces in _pairs(document, "", problems):
        if platform not in scope_ids.PLATFORMS:
            near = difflib.get_close_matches(platform, scope_ids.PLATFORMS, 1)
            hint = messages.did_you_mean(name=near[0]) if near else ""
            problem = messages.no_such_platform(hint=hint)
            problems.append(messages.at(path=platform, problem=problem))
            continue
        for workspace, node in _pairs(workspaces, platform, problems):
            place = Scope(platform, workspace)
            named.add(place)
            _check(place, f"{platform}/{workspace}", problems)
            changes += _changes(node, place, f"{platform}/{workspace}", today, problems)
    if problems:
        raise ConfigError(messages.nothing_changed(problems="; ".join(problems)))
    return Imported(changes, frozenset(named))


def deletions(imported: Imported, settings: Iterable[Setting]) -> list[Change]:
    """Return the changes that delete `settings` that are missing from `imported`, in
    the workspaces that it names."""
    named = {(change.place, change.name) for change in imported.changes}
    return [
        Change(s.place, s.name, None, versioned=BY_NAME[s.name].versioned)
        for s in settings
        if s.place.at(ScopeLevel.WORKSPACE) in imported.workspaces
        and s.name in BY_NAME
        and (s.place, s.name) not in named
    ]


def difference(
    settings: Iterable[Setting], texts: Mapping[str, str], changes: Sequence[Change]
) -> list[str]:
    """Describe line by line how `changes` would change `settings`."""
    now = {(setting.place, setting.name): setting.value for setting in settings}
    lines: list[str] = []
    for change in changes:
        option = BY_NAME[change.name]
        before = now.get((change.place, change.name))
        if option.versioned and before is not None:
            before = texts[before]
        if before == change.value:
            continue
        lines.append(f"{change.place} {change.name}")
        old, new = (_lines(option, each) for each in (before, change.value))
        compared = difflib.unified_diff(old, new, lineterm="", n=1)
        lines += [f"  {line}" for line in list(compared)[2:]]
    return lines


def _lines(option: Option, value: str | None) -> list[str]:
    if value is None:
        return []
    return value.splitlines() if option.versioned else [option.show(value)]


def _node(document: dict[str, Any], place: Scope) -> dict[str, Any]:
    """Return the part of `document` for `place`; create it if it is missing."""
    node: dict[str, Any] = document.setdefault(place.platform, {})
    node = node.setdefault(place.workspace, {})
    for level in (ScopeLevel.CHANNEL, ScopeLevel.THREAD):
        inner = getattr(place, level.value)
        if inner:
            around = (
                ScopeLevel.WORKSPACE
                if level is ScopeLevel.CHANNEL
                else ScopeLevel.CHANNEL
            )
            node = node.setdefault(_INNER[around], {}).setdefault(inner, {})
    return node


def _readable(option: Option, value: str) -> Any:
    if option.name == "stop_sequences":
        return list(sequences(value))
    if option.versioned or not value.replace(".", "", 1).isdecimal():
        return value
    return float(value) if "." in value else int(value)


def _parse(text: str) -> dict[str, Any]:
    if len(text) > MOST_CHARS:
        raise ConfigError(messages.FILE_TOO_LARGE)
    try:
        document = documents.parse(text, most_nodes=MOST_NODES)
    except NoDocument as error:
        raise ConfigError(messages.not_yaml(where=error.where, why=error.why)) from None
    if not isinstance(document, dict):
        raise ConfigError(messages.NO_NAMES)
    return document


def _pairs(node: object, path: str, problems: list[str]) -> Iterator[tuple[str, Any]]:
    if path and documents.is_nothing(node):
        # A scope below whose name everything was deleted has no settings.
        return
    if not isinstance(node, dict):
        problems.append(
            messages.at(
                path=path or messages.THE_FILE, problem=messages.NOT_NAMES_AND_VALUES
            )
        )
        return
    seen: set[str] = set()
    for key, value in node.items():
        if problem := _no_name(key):
            problems.append(
                messages.at(path=path or messages.THE_FILE, problem=problem)
            )
        elif (name := str(key)) in seen:
            problems.append(
                messages.at(
                    path=path or messages.THE_FILE,
                    problem=messages.name_twice(name=name),
                )
            )
        else:
            seen.add(name)
            yield name, value


def _no_name(key: object) -> str:
    """Return the reason why `key` cannot be the id of a scope or the name of a setting,
    or ""."""
    name = "" if documents.is_nothing(key) else str(key)
    if not 0 < len(name) <= MOST_NAME_CHARS or not name.isprintable() or " " in name:
        return messages.BAD_NAME
    return ""


def _changes(
    node: object, place: Scope, path: str, today: date, problems: list[str]
) -> Iterator[Change]:
    inner = _INNER.get(place.level)
    for name, value in _pairs(node, path, problems):
        if name == inner:
            for key, below in _pairs(value, f"{path}/{name}", problems):
                part = "channel" if place.level is ScopeLevel.WORKSPACE else "thread"
                there = Scope(**{**_parts(place), part: key})
                _check(there, f"{path}/{name}/{key}", problems)
                yield from _changes(
                    below, there, f"{path}/{name}/{key}", today, problems
                )
        elif change := _change(name, value, place, f"{path}/{name}", today, problems):
            yield change


def _check(place: Scope, path: str, problems: list[str]) -> None:
    """Add to `problems` if the innermost id of `place` is not valid: settings for it
    would apply nowhere."""
    if example := scope_ids.example(place):
        problem = messages.no_such_id(scope=place.level.value, example=example)
        problems.append(messages.at(path=path, problem=problem))


def _parts(place: Scope) -> dict[str, str]:
    return {
        "platform": place.platform,
        "workspace": place.workspace,
        "channel": place.channel,
        "thread": place.thread,
    }


def _change(
    name: str, value: object, place: Scope, path: str, today: date, problems: list[str]
) -> Change | None:
    option = BY_NAME.get(name)
    if option is None:
        close = difflib.get_close_matches(name, [o.name for o in OPTIONS], 1)
        hint = messages.did_you_mean(name=close[0]) if close else ""
        problems.append(
            messages.at(path=path, problem=messages.no_such_setting(hint=hint))
        )
    elif place.level not in option.levels:
        problems.append(
            messages.at(
                path=path, problem=messages.not_for_scope(scope=place.level.value)
            )
        )
    else:
        try:
            text = option.read(_format_value(option, value), today)
            return Change(place, name, text, versioned=option.versioned)
        except Unacceptable as error:
            problems.append(messages.at(path=path, problem=error.user_text.rstrip(".")))
    return None


def _format_value(option: Option, value: object) -> str:
    """Return `value` in the format that people type in the chat."""
    truth = documents.boolean(value)
    if truth is not None and option.kind is Kind.CHOICE:
        return ON if truth else OFF
    if isinstance(value, list):
        if not all(isinstance(each, str) for each in value):
            raise Unacceptable(values.LIST_OF_TEXTS)
        glue = "\n" if option.name == "stop_sequences" else " "
        return glue.join(map(str, value))
    if isinstance(value, str) and not documents.is_nothing(value):
        return str(value)
    raise Unacceptable(values.TEXT_NUMBER_OR_LIST)


class _Dumper(yaml.SafeDumper):
    """Writes texts with several lines as blocks."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    # A block shows the text as it is; PyYAML quotes a text that a block would not
    # preserve.
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
