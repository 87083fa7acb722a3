"""A real Chromium for tests of pages; installed where that is possible.

`make test` runs this as a program: on a machine where packages can be installed it
installs Chromium, elsewhere it says loudly which tests are skipped.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence

from playwright.async_api import Browser, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
#: Nothing of it is asked of the network. Tests run as root in containers.
OPTIONS = (
    *("--no-sandbox", "--disable-quic", "--disable-background-networking"),
    *("--disable-component-update", "--no-first-run"),
)
MISSING = "Chromium is not installed, so the tests of pages in a browser are SKIPPED."
#: Seconds for the installation.
PATIENCE = 600


def path() -> str | None:
    """Return the path of Chromium; None if it is not installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextlib.asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """Yield a running Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path(), args=list(OPTIONS)
        )
        try:
            yield browser
        finally:
            await browser.close()


def install() -> bool:
    """Install Chromium with the package manager of Debian; return whether it is there
    now."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        steps: Sequence[Sequence[str]] = (
            ("apt-get", "-qq", "update"),
            ("apt-get", "-qq", "install", "--no-install-recommends", "-y", "chromium"),
        )
        with contextlib.suppress(subprocess.SubprocessError, OSError):
            for step in steps:
                subprocess.run(
                    step,
                    env=environment,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    timeout=PATIENCE,
                    check=True,
                )
    return path() is not None


if __name__ == "__main__":
    if path() is None and not install():
        sys.stderr.write(f"\n*** {MISSING} ***\n\n")
