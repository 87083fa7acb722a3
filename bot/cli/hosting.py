"""Warns if the database is on a disk that the hosting provider empties.

Each provider is recognised by a variable that it sets. A path below a separate mount
point is persistent; the root file system and the folder of the code are not.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from bot.config import Config
from bot.domain.server_address import ServerAddress
from bot.messages import config as messages

HOSTS = {
    "DYNO": ("Heroku", messages.HEROKU_REMEDY),
    "RENDER": ("Render", messages.DISK_REMEDY),
    "FLY_APP_NAME": ("Fly.io", messages.VOLUME_REMEDY),
    "RAILWAY_ENVIRONMENT_ID": ("Railway", messages.VOLUME_REMEDY),
    "K_SERVICE": ("Cloud Run", messages.VOLUME_REMEDY),
}


def warnings(
    env: Mapping[str, str],
    config: Config,
    is_mounted: Callable[[Path], bool] = Path.is_mount,
) -> list[str]:
    """Return a sentence if the provider empties the disk of the database."""
    path = config.database
    if isinstance(path, ServerAddress):
        return []
    for variable, (host, remedy) in HOSTS.items():
        if not env.get(variable):
            continue
        # The root is always a mount point.
        folders = [each for each in path.parents if each != Path(path.anchor)]
        if variable != "DYNO" and any(map(is_mounted, folders)):
            continue
        return [messages.disk_emptied(host=host, path=path, remedy=remedy)]
    return []
