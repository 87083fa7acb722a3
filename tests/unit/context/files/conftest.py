"""The libraries that read files take a second to import: one worker does."""

import pytest

# Of the names of tests: to compare paths took half a second for those of other folders.
HERE = "tests/unit/context/files/"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(HERE):
            item.add_marker(pytest.mark.together("files"))
