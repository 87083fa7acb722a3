"""The engine's tables are those of the version that is pinned."""

import hashlib
import re
from importlib.metadata import version
from pathlib import Path

from procrastinate.schema import SchemaManager

from storage.engine.schema import STEPS

ROOT = Path(__file__).parents[3]

#: Of the tables that databases have since the first step. If a version has others, it
#: needs a step that makes these into those.
TABLES = "c70ec4b400a60ad9592787653aae5ae77ae41bf801d56b5bd2712751a07f2009"


def test_the_engine_is_pinned_to_the_version_whose_tables_are_made() -> None:
    pinned = re.findall(
        r'"procrastinate>=([\d.]+),<([\d.]+)"',
        (ROOT / "pyproject.toml").read_text("utf-8"),
    )
    assert set(pinned) == {("3.10", "3.11")}
    assert version("procrastinate").startswith("3.10.")
    assert STEPS[0].name == "e001_procrastinate_3_10"


def test_the_tables_of_the_engine_are_those_that_databases_have() -> None:
    made = hashlib.sha256(SchemaManager.get_schema().encode()).hexdigest()
    assert made == TABLES
