"""A real Chromium for tests of pages, installed where possible.

`make test` runs this module as a program. It installs Chromium where packages can be
installed; elsewhere it prints which tests are skipped.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal

from playwright.async_api import (
    Browser,
    BrowserContext,
    Page,
    ViewportSize,
    async_playwright,
    expect,
)

#: The first is the browser without a user interface. It starts and draws in a third of
#: the processor time.
NAMES = (
    *("chromium-headless-shell", "chromium", "chromium-browser"),
    *("google-chrome", "chrome"),
)
#: Names of Debian packages, tried in this order.
PACKAGES = ("chromium-headless-shell", "chromium")
#: Keep Chromium off the network. Without a sandbox, because tests run as root in
#: containers.
OPTIONS = (
    *("--no-sandbox", "--disable-quic", "--disable-background-networking"),
    *("--disable-component-update", "--no-first-run"),
    # All pages share one process: starting one takes longer than most tests.
    "--renderer-process-limit=1",
    # No process for drawing, and none for forking: a tenth of the processor time.
    *("--disable-gpu", "--disable-software-rasterizer"),
    *("--in-process-gpu", "--no-zygote"),
)
MISSING = "Chromium is not installed, so the tests of pages in a browser are SKIPPED."
MINIMAL = ("--no-install-recommends", "-y")
#: Seconds for the installation.
INSTALLING = 600
#: Milliseconds to wait for the content of a page and for the start of Chromium. It is
#: long because the machine may be busy.
PATIENCE = 60_000
#: The size of a page, in pixels.
SIZE: ViewportSize = {"width": 1280, "height": 720}


def path() -> str | None:
    """Return the path of Chromium, or None if it is not installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextlib.asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """Yield a running Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path(), args=list(OPTIONS), timeout=PATIENCE
        )
        try:
            yield browser
        finally:
            await browser.close()


async def new_page(browser: Browser) -> Page:
    """Return a page in its own profile. Several tests in turn can share it: see
    `used`."""
    return await (await new_context(browser)).new_page()


@contextlib.asynccontextmanager
async def used(
    page: Page,
    *,
    size: ViewportSize = SIZE,
    motion: Literal["reduce", "no-preference"] = "no-preference",
    permissions: Sequence[str] = (),
) -> AsyncIterator[None]:
    """Lend `page` to a test, and remove everything that the test left there. A new
    profile and process for each test would take more processor time than the tests."""
    await page.set_viewport_size(size)
    await page.emulate_media(reduced_motion=motion)
    await page.context.grant_permissions(permissions)
    try:
        yield
    finally:
        await page.evaluate("localStorage.clear(); sessionStorage.clear()")
        await page.goto("about:blank")
        await page.context.clear_cookies()
        await page.context.clear_permissions()


async def new_context(browser: Browser, **options: Any) -> BrowserContext:
    """Return a new profile in `browser`."""
    expect.set_options(timeout=PATIENCE)
    context = await browser.new_context(**options)
    context.set_default_timeout(PATIENCE)
    return context


def install() -> bool:
    """Install Chromium with Debian's package manager. Return whether it is installed
    afterwards."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        commands = [("update",), *(("install", *MINIMAL, each) for each in PACKAGES)]
        for command in commands:
            with contextlib.suppress(subprocess.SubprocessError, OSError):
                if path() is not None:
                    break
                subprocess.run(
                    ("apt-get", "-qq", *command),
                    env=environment,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    timeout=INSTALLING,
                )
    return path() is not None


if __name__ == "__main__":
    if path() is None and not install():
        sys.stderr.write(f"\n*** {MISSING} ***\n\n")
