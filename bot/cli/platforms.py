"""Finds the configured platforms and loads their modules."""

import importlib
from collections.abc import Mapping
from typing import Any

from bot.domain.finding import Finding, Grade
from bot.errors import ConfigError

# Each platform is a package in adapters/ with the modules config, adapter and check.
SLACK, WEB = "slack", "web"
PLATFORMS = (SLACK, "discord", WEB)


def configured_platforms(env: Mapping[str, str]) -> list[str]:
    """Return the platforms that `env` configures."""
    configs = {name: load_module(f"adapters.{name}.config") for name in PLATFORMS}
    return [name for name, config in configs.items() if config.is_configured(env)]


def local_platforms(env: Mapping[str, str]) -> list[str]:
    """Return the platforms for a terminal user who has configured none.

    This is the local workspace in the browser, unless `env` switches it off.
    """
    return [] if load_module(f"adapters.{WEB}.config").is_off(env) else [WEB]


async def check_platform(
    name: str, env: Mapping[str, str], *, offline: bool = False
) -> list[Finding]:
    """Check the configuration of platform `name`, and test it unless `offline`."""
    told = _configuration(load_module(f"adapters.{name}.config"), env)
    if offline or told.grade is not Grade.GOOD:
        return [told]
    tried: list[Finding] = await load_module(f"adapters.{name}.check").check(env)
    return tried


def _configuration(config: Any, env: Mapping[str, str]) -> Finding:
    """Check the configuration in `env` of the platform with this module `config`.

    The platform's SDK is not imported.
    """
    subject, not_set, is_set = config.REPORTED
    if not config.is_configured(env):
        return Finding(subject, Grade.ABSENT, not_set)
    try:
        config.read(env)
    except ConfigError as error:
        return Finding(subject, Grade.BAD, str(error))
    return Finding(subject, Grade.GOOD, is_set)


def load_module(module: str) -> Any:
    """Import `module` by name.

    This way a process imports only the SDKs that it uses, since importing them takes
    longer than the rest of the start.
    """
    return importlib.import_module(module)
