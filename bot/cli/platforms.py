"""Find the configured platforms and load their modules."""

import importlib
from collections.abc import Mapping
from typing import Any

# Each is a package under adapters/ with the modules config, adapter and check.
PLATFORMS = ("slack", "discord")


def configured_platforms(env: Mapping[str, str]) -> list[str]:
    """Return the platforms that `env` configures."""
    return [n for n in PLATFORMS if load_module(f"adapters.{n}.config").configured(env)]


def load_module(module: str) -> Any:
    """Import `module` by name, so that a deployment imports only the SDKs that it uses:
    they take longer to import than everything else takes to start."""
    return importlib.import_module(module)
