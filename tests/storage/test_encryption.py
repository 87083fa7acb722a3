"""Sealed tokens: what opens them, and what does not."""

import traceback

import pytest

from bot.domain.installation import Place
from bot.errors import KeyLost
from storage.encryption import KeyRing

OLD, NEW = b"o" * 32, b"n" * 32
ACME = Place("slack", "", "T1")
TOKEN = "xoxb-1-secret"
PLACES = [
    *(Place("slack", "", "T2"), Place("slack", "T1", ""), Place("discord", "", "T1")),
    Place("slack", "E1", "T1"),
]


def test_a_token_opens_where_it_was_sealed() -> None:
    ring = KeyRing((NEW,))
    sealed = ring.seal(TOKEN, ACME)
    assert TOKEN not in sealed
    assert ring.open(sealed, ACME) == TOKEN
    # Two that are alike do not look alike.
    assert sealed != ring.seal(TOKEN, ACME)


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_row_copied_to_another_workspace_does_not_open(place: Place) -> None:
    ring = KeyRing((NEW,))
    with pytest.raises(KeyLost, match=str(place)):
        ring.open(ring.seal(TOKEN, ACME), place)


def test_the_newest_key_seals_and_each_opens() -> None:
    before = KeyRing((OLD,)).seal(TOKEN, ACME)
    both, after = KeyRing((NEW, OLD)), KeyRing((NEW,))
    assert both.open(before, ACME) == TOKEN
    assert not both.is_current(before)
    again = both.seal(TOKEN, ACME)
    assert both.is_current(again)
    assert after.open(again, ACME) == TOKEN
    with pytest.raises(KeyLost, match="slack:T1"):
        after.open(before, ACME)


@pytest.mark.parametrize("how", ["", "x", "flipped", "cut", "no base64"])
def test_what_was_changed_does_not_open_and_is_in_no_error(how: str) -> None:
    ring = KeyRing((NEW,))
    sealed = ring.seal(TOKEN, ACME)
    name, _, body = sealed.partition(".")
    wrong = {
        "flipped": f"{name}.{body[:-8]}{body[-8:].swapcase()}",
        "cut": sealed[:20],
        "no base64": f"{name}.a",
    }.get(how, how)
    with pytest.raises(KeyLost) as caught:
        ring.open(wrong, ACME)
    told = "".join(traceback.format_exception(caught.value))
    assert body not in told
    assert TOKEN not in told
