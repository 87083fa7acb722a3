"""The text of tokens, and what they allow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import api_token
from bot.domain.api_token import ApiToken, NewToken, TokenScope

TOKEN = ApiToken("0" * 12, "ci", frozenset({TokenScope.CHAT}), created=0.0)


def test_a_new_token_is_read_by_its_id_and_matches_its_digest() -> None:
    new, other = NewToken.random(), NewToken.random()
    assert api_token.token_id(new.text) == new.id
    assert new.text.startswith("tk_")
    stored = api_token.digest(new.text)
    assert api_token.matches(new.text, stored)
    assert not api_token.matches(other.text, stored)
    assert new.text not in stored


@given(st.text())
def test_other_text_has_no_id(text: str) -> None:
    assert api_token.token_id(text) == ""


@pytest.mark.parametrize("more", ["\n", " ", "x", "\x00"])
def test_nothing_stands_around_a_token(more: str) -> None:
    text = NewToken.random().text
    assert api_token.token_id(text + more) == ""
    assert api_token.token_id(more + text) == ""


def test_it_is_accepted_until_it_expires_or_is_revoked() -> None:
    assert TOKEN.is_valid(1e12)
    expiring = ApiToken("0" * 12, "ci", TOKEN.scopes, created=0.0, expires=10.0)
    assert [expiring.is_valid(at) for at in (9.9, 10.0)] == [True, False]
    revoked = ApiToken("0" * 12, "ci", TOKEN.scopes, created=0.0, revoked=5.0)
    assert not revoked.is_valid(4.0)


def test_an_admin_may_everything_and_others_what_they_were_given() -> None:
    assert [TOKEN.allows(scope) for scope in TokenScope] == [True, False, False]
    admin = ApiToken("0" * 12, "ci", frozenset({TokenScope.ADMIN}), created=0.0)
    assert all(admin.allows(scope) for scope in TokenScope)


@pytest.mark.parametrize("name", ["ci", "site2", "a" * 32])
def test_a_name_is_an_id_of_a_person(name: str) -> None:
    assert api_token.is_name(name)


@pytest.mark.parametrize("name", ["", "local", "CI", "a b", "a" * 33, "é", "2", "a\n"])
def test_other_names_are_refused(name: str) -> None:
    assert not api_token.is_name(name)
