"""The permission to change settings: every way to have it, and who never has it."""

import pytest

from bot.domain.person import Person, administers, is_listed
from bot.domain.scope import EVERYWHERE, Scope, ScopeLevel

THREAD = Scope("slack", "T", "C", "1.1")
CHANNEL, WORKSPACE = THREAD.at(ScopeLevel.CHANNEL), THREAD.at(ScopeLevel.WORKSPACE)

MEMBER = Person("U1")
OWNER = Person("U1", runs_workspace=True)
MANAGER = Person("U1", runs_channel=True)
CREATOR = Person("U1", made_channel=True)
SUPPORT = Person("U1", groups=frozenset({"S1"}))


def may(
    person: Person,
    place: Scope,
    *,
    operators: frozenset[str] = frozenset(),
    admins: tuple[tuple[Scope, str], ...] = (),
    creators: bool = False,
) -> bool:
    return administers(
        person, place, operators=operators, admins=admins, creators=creators
    )


@pytest.mark.parametrize(
    ("person", "thread", "channel", "workspace"),
    [
        (MEMBER, False, False, False),
        (OWNER, True, True, True),
        (MANAGER, True, True, False),
        (CREATOR, False, False, False),
    ],
)
def test_by_the_platforms_own_word(
    person: Person, thread: bool, channel: bool, workspace: bool
) -> None:
    assert may(person, THREAD) is thread
    assert may(person, CHANNEL) is channel
    assert may(person, WORKSPACE) is workspace
    assert not may(person, EVERYWHERE)


def test_whoever_created_a_channel_if_the_workspace_allows_it() -> None:
    assert may(CREATOR, THREAD, creators=True)
    assert not may(CREATOR, WORKSPACE, creators=True)
    assert not may(MEMBER, CHANNEL, creators=True)


def test_whom_the_operator_names() -> None:
    assert may(MEMBER, WORKSPACE, operators=frozenset({"slack:U1"}))
    assert not may(MEMBER, WORKSPACE, operators=frozenset({"discord:U1"}))


def test_whom_an_admin_names_where_they_are_named() -> None:
    here = ((CHANNEL, "user:U1"),)
    assert may(MEMBER, THREAD, admins=here)
    assert may(MEMBER, CHANNEL, admins=here)
    assert not may(MEMBER, WORKSPACE, admins=here)
    assert not may(MEMBER, Scope("slack", "T", "C2"), admins=here)
    assert may(MEMBER, WORKSPACE, admins=((WORKSPACE, "user:U9 user:U1"),))
    assert may(SUPPORT, CHANNEL, admins=((CHANNEL, "group:S1"),))
    assert not may(MEMBER, CHANNEL, admins=((CHANNEL, "everyone"),))


def test_outsiders_never_not_even_if_named() -> None:
    guest = Person("U1", runs_workspace=True, runs_channel=True, outsider=True)
    assert not may(
        guest,
        CHANNEL,
        operators=frozenset({"slack:U1"}),
        admins=((CHANNEL, "user:U1"),),
        creators=True,
    )


def test_who_is_listed() -> None:
    assert is_listed(MEMBER, "everyone")
    assert is_listed(MEMBER, "user:U2 user:U1")
    assert not is_listed(MEMBER, "user:U11")
    assert is_listed(SUPPORT, "group:S1")
    assert not is_listed(SUPPORT, "group:S11 user:S1")
