"""The platforms that are configured."""

import importlib
from collections.abc import Mapping
from typing import Any

# Each is a package under adapters/ with the modules config, adapter and check.
PLATFORMS = ("slack", "discord")


def configured_platforms(env: Mapping[str, str]) -> list[str]:
    """The platforms that are set up."""
    return [n for n in PLATFORMS if load_module(f"adapters.{n}.config").configured(env)]


def load_module(module: str) -> Any:
    # By name, so that a deployment imports only the SDKs that it uses: they take
    # longer to import than all the rest takes to start.
    return importlib.import_module(module)
