"""The effective settings: the narrower level wins, running threads keep theirs, budgets
add up."""

from bot.domain.budget import Budget, Period, PersonLimit
from bot.domain.scope import EVERYWHERE, Scope, ScopeLevel
from bot.domain.setting import Setting, StoredSettings
from bot.settings.effective import EffectiveSettings, EffectiveValue, resolve

THREAD = Scope("slack", "T", "C", "1.1")
CHANNEL, WORKSPACE = THREAD.at(ScopeLevel.CHANNEL), THREAD.at(ScopeLevel.WORKSPACE)


def put(place: Scope, name: str, value: str, who: str = "U1") -> Setting:
    return Setting(place, name, value, who, 1000.0, 1)


def policy(
    *settings: Setting, place: Scope = THREAD, **defaults: str
) -> EffectiveSettings:
    return resolve(place, StoredSettings(settings), {"prompt": "1", **defaults})


def test_the_narrower_level_wins() -> None:
    settings = [
        put(THREAD, "model", "claude-opus-5-5"),
        put(CHANNEL, "model", "claude-haiku-5-5"),
        put(WORKSPACE, "model", "claude-fable-5-2"),
    ]
    assert policy()["model"] == "claude-sonnet-5-5"
    assert policy(model="claude-opus-5")["model"] == "claude-opus-5"
    for count, expected in ((1, "fable-5-2"), (2, "haiku-5-5"), (3, "opus-5-5")):
        found = policy(*settings[3 - count :])
        assert found["model"] == f"claude-{expected}"
        assert found.applied["model"].place == settings[3 - count].place
        assert found.applied["model"].who == "U1"


def test_what_is_set_elsewhere_does_not_apply() -> None:
    other = Scope("slack", "T", "C2")
    assert policy(put(other, "quiet", "on"))["quiet"] == "off"
    assert policy(put(Scope("slack", "T2"), "quiet", "on"))["quiet"] == "off"


def test_a_setting_nobody_knows_any_more_does_no_harm() -> None:
    assert "colour" not in policy(put(CHANNEL, "colour", "red")).applied


def test_a_running_thread_keeps_what_it_began_with() -> None:
    rules = StoredSettings(
        (put(CHANNEL, "model", "claude-opus-5-5"), put(CHANNEL, "quiet", "on")),
        kept={"model": "claude-sonnet-5-5", "prompt": "1"},
    )
    found = resolve(THREAD, rules, {"prompt": "1"})
    assert found["model"] == "claude-sonnet-5-5"
    assert found.applied["model"].kept
    assert not found.applied["prompt"].kept
    assert found.on("quiet")


def test_what_was_changed_for_running_threads_applies_to_them() -> None:
    rules = StoredSettings(
        (put(CHANNEL, "model", "claude-opus-5-5"),),
        kept={"model": "claude-sonnet-5-5"},
        stale=frozenset({"model"}),
    )
    found = resolve(THREAD, rules, {"prompt": "1"})
    assert found["model"] == "claude-opus-5-5"
    assert not found.applied["model"].kept


def test_a_chosen_model_says_why() -> None:
    rules = StoredSettings(
        (put(CHANNEL, "model", "auto"),),
        kept={"model": "claude-haiku-5-5", "route": "a simple question"},
    )
    found = resolve(THREAD, rules, {"prompt": "1"})
    assert (found["model"], found.route) == ("claude-haiku-5-5", "a simple question")


def test_what_the_model_does_not_take_is_marked_and_not_used() -> None:
    found = policy(
        put(CHANNEL, "model", "claude-haiku-4-5"), put(WORKSPACE, "effort", "high")
    )
    assert found["effort"] == "high"
    assert found.used("effort") == ""
    assert "no effort" in found.applied["effort"].unused
    warm = policy(
        put(CHANNEL, "model", "claude-sonnet-4-6"), put(CHANNEL, "temperature", "0")
    )
    assert warm.temperature == 0.0
    assert policy(put(CHANNEL, "temperature", "0.5")).temperature is None


def test_an_answer_is_never_longer_than_the_model_writes() -> None:
    found = policy(
        put(CHANNEL, "model", "claude-haiku-4-5"),
        put(WORKSPACE, "max_tokens", "128000"),
    )
    assert found.max_tokens == 64_000


def test_budgets_count_at_each_level() -> None:
    found = policy(
        put(CHANNEL, "budget_day", "1", who="U2"),
        put(WORKSPACE, "budget_day", "5"),
        put(WORKSPACE, "budget_month", "50"),
        put(CHANNEL, "person_messages", "20"),
        put(WORKSPACE, "person_usd", "2"),
    )
    assert set(found.caps.budgets) == {
        Budget(CHANNEL, Period.DAY, 1.0, "U2"),
        Budget(WORKSPACE, Period.DAY, 5.0, "U1"),
        Budget(WORKSPACE, Period.MONTH, 50.0, "U1"),
    }
    assert set(found.caps.people) == {
        PersonLimit(CHANNEL, messages=20),
        PersonLimit(WORKSPACE, usd=2.0),
    }


def test_the_operators_budget_is_one_for_each_workspace() -> None:
    caps = policy(budget_day="3").caps
    assert caps.budgets == (Budget(WORKSPACE, Period.DAY, 3.0, "operator"),)
    raised = policy(put(WORKSPACE, "budget_day", "9"), budget_day="3").caps
    assert raised.budgets == (Budget(WORKSPACE, Period.DAY, 3.0, "operator"),)
    lowered = policy(put(WORKSPACE, "budget_day", "2"), budget_day="3").caps
    assert lowered.budgets == (Budget(WORKSPACE, Period.DAY, 2.0, "U1"),)
    both = policy(put(CHANNEL, "budget_day", "1"), budget_day="3").caps
    assert {cap.usd for cap in both.budgets} == {1.0, 3.0}


def test_own_is_only_what_was_set_here() -> None:
    found = policy(put(WORKSPACE, "quiet", "on"), place=CHANNEL)
    assert found.own("quiet") is None
    assert policy(put(CHANNEL, "quiet", "on"), place=CHANNEL).own("quiet") is not None


def test_nothing_set_is_by_default() -> None:
    assert policy().applied["quiet"] == EffectiveValue("quiet", "off", EVERYWHERE)


def test_places_lie_in_each_other() -> None:
    assert [place.level for place in THREAD.around] == [
        ScopeLevel.THREAD,
        ScopeLevel.CHANNEL,
        ScopeLevel.WORKSPACE,
        ScopeLevel.OPERATOR,
    ]
    assert CHANNEL.around[0] == CHANNEL
    assert WORKSPACE.holds(THREAD)
    assert EVERYWHERE.holds(WORKSPACE)
    assert not CHANNEL.holds(Scope("slack", "T", "C2", "1.1"))
