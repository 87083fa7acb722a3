"""The contract of stores: tokens of the web API."""

from dataclasses import replace

import pytest

from bot.domain.api_token import ApiToken, TokenScope
from bot.errors import StorageError
from bot.ports.store import Store

NOON = 1_795_694_400.0
CI = ApiToken("0123456789ab", "ci", frozenset({TokenScope.CHAT}), NOON, NOON + 60)
SITE = ApiToken(
    id="ba9876543210",
    name="site",
    scopes=frozenset({TokenScope.READ, TokenScope.CHAT}),
    created=NOON + 1,
    rate=600,
)


async def test_a_token_is_found_by_its_id_with_its_digest(store: Store) -> None:
    await store.add_token(CI, "one")
    await store.add_token(SITE, "two")
    assert await store.find_token(SITE.id) == (SITE, "two")
    assert await store.find_token("") is None
    assert await store.tokens() == [CI, SITE]


async def test_an_id_is_given_once(store: Store) -> None:
    await store.add_token(CI, "one")
    with pytest.raises(StorageError):
        await store.add_token(replace(SITE, id=CI.id), "two")
    assert await store.tokens() == [CI]


async def test_a_name_or_an_id_is_revoked_once(store: Store) -> None:
    second = replace(CI, id="aaaaaaaaaaaa", created=NOON + 2)
    for token in (CI, SITE, second):
        await store.add_token(token, token.id)
    revoked = await store.revoke_tokens("ci", NOON + 5)
    assert revoked == [replace(t, revoked=NOON + 5) for t in (CI, second)]
    assert await store.revoke_tokens("ci", NOON + 6) == []
    assert await store.revoke_tokens(CI.id, NOON + 6) == []
    [site] = await store.revoke_tokens(SITE.id, NOON + 7)
    assert await store.tokens() == [revoked[0], site, revoked[1]]
    assert await store.revoke_tokens("nobody", NOON) == []


async def test_the_last_use_is_kept(store: Store) -> None:
    await store.add_token(CI, "one")
    await store.note_token_use(CI.id, NOON + 9)
    await store.note_token_use(CI.id, NOON + 8)
    await store.note_token_use("unknown", NOON)
    assert await store.tokens() == [replace(CI, used=NOON + 9)]
