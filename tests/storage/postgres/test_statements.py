"""Tests of the words that SQLite and PostgreSQL say differently."""

from storage.postgres.statements import translate


def test_placeholders_are_numbered() -> None:
    found = translate("SELECT ? + ? WHERE 'a?' = \"b?\" -- ?\n AND x::text = ?")
    assert found.text == ("SELECT $1 + $2 WHERE 'a?' = \"b?\" -- ?\n AND x::text = $3")
    assert found.values([1, 2, 3]) == [1, 2, 3]


def test_a_name_is_one_placeholder_wherever_it_stands() -> None:
    found = translate("SELECT :b, :a, :b, 'it''s :c', 10 % 3")
    assert found.text == "SELECT $1, $2, $1, 'it''s :c', 10 % 3"
    assert found.values({"a": 1, "b": 2, "more": 3}) == [2, 1]


def test_hints_for_the_planner_of_sqlite_are_left_out() -> None:
    found = translate(
        "SELECT 1 FROM turns INDEXED BY idx_turns_open CROSS JOIN threads ON true"
    )
    assert found.text == "SELECT 1 FROM turns  JOIN threads ON true"
