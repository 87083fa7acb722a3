"""Measures the local workspace in a real Chromium: load times, sizes and long
answers."""

import asyncio
import json
import statistics
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page
from rich.table import Table

from benchmarks.table import middle, span, table
from storage.opening import open_store
from tests.support import chromium
from tests.support.scripted_model import ScriptedModel
from tests.support.web_harness import Browser as Client
from tests.support.web_harness import browsing

RUNS = 11
CHARS = 50_000
#: Characters of one delta. At full speed there is no wait between two deltas.
DELTA = 20

SECTION = """\
## Section {0}

A paragraph with **bold** words, `code` and a [link](http://example.org/{0}), long
enough to need more than one line on the page, as most paragraphs of an answer do.

- one item
- another item with *words*

```python
def section_{0}(x: int) -> list[int]:
    return [x + {0} for _ in range(10)]
```

| a | b |
|--|--|
| {0} | {0} |

"""

_WATCH = """() => {
    window.asked = window.shown = 0;
    const box = document.querySelector("#message");
    box.addEventListener("keydown", () => { window.asked = performance.now(); }, true);
    new MutationObserver(() => {
        const text = document.querySelector("article.bot .blocks");
        if (window.shown || !text || text.querySelector(".thinking")) return;
        if (text.textContent.trim()) requestAnimationFrame(() => {
            window.shown ||= performance.now();
        });
    }).observe(document.body, {childList: true, subtree: true});
}"""
_LOADED = """() => {
    const page = performance.getEntriesByType("navigation")[0];
    return [page.domInteractive, page.domContentLoadedEventEnd];
}"""


async def measure(platforms: Sequence[str]) -> Table:
    """Open the page, ask, and receive a long answer at full speed."""
    if chromium.path() is None:
        return table("pages", ("",), [], caption=chromium.MISSING)
    async with chromium.launched() as chrome:
        rows = [
            *await _first_load(chrome),
            await _first_character(chrome),
            *await _long_answer(chrome),
        ]
    return table(
        "pages: the local workspace in Chromium",
        ("what", "best", "median", "worst"),
        rows,
        caption=f"""{RUNS} runs, each in a new profile. A task keeps the page from
            answering. The answer has {CHARS:,} characters, {DELTA} in each piece, which
            come as fast as they are read.""",
    )


@asynccontextmanager
async def _opened(
    chrome: Browser, *scripts: Sequence[str]
) -> AsyncIterator[tuple[Page, Client, list[int]]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "threadkeep.db"
        async with (
            open_store(path) as store,
            browsing(store, ScriptedModel(*scripts)) as client,
        ):
            context = await chrome.new_context()
            page = await context.new_page()
            sizes: list[int] = []

            async def finished(request: Any) -> None:
                found = await request.sizes()
                sizes.append(found["responseBodySize"] + found["responseHeadersSize"])

            page.on("requestfinished", finished)
            await page.goto(f"{client.address}/c/welcome")
            await page.wait_for_selector("#message:focus")
            await page.evaluate(_WATCH)
            yield page, client, sizes
            await context.close()


async def _first_load(chrome: Browser) -> Sequence[Sequence[str]]:
    usable, weights, requests = [], [], []
    for _ in range(RUNS):
        async with _opened(chrome) as (page, _, sizes):
            _, loaded = await page.evaluate(_LOADED)
            usable.append(loaded / 1000)
            weights.append(sum(sizes))
            requests.append(len(sizes))
    count = str(statistics.median(requests))
    weight = f"{statistics.median(weights) / 1000:.0f} KB"
    return (
        ("first load: until it can be used", *_spread(usable)),
        ("first load: bytes", "", weight, ""),
        ("first load: requests", "", count, ""),
    )


async def _first_character(chrome: Browser) -> Sequence[str]:
    took = []
    for _ in range(RUNS):
        async with _opened(chrome) as (page, _, _):
            await _ask(page)
            took.append(await page.evaluate("shown - asked") / 1000)
    return ("from Enter to the first character on the screen", *_spread(took))


async def _long_answer(chrome: Browser) -> Sequence[Sequence[str]]:
    text = "".join(SECTION.format(nth) for nth in range(CHARS // len(SECTION) + 2))
    text = text[:CHARS]
    pieces = [text[at : at + DELTA] for at in range(0, CHARS, DELTA)]
    longest, whole = [], []
    for _ in range(RUNS):
        async with _opened(chrome, pieces) as (page, _, _):
            began = asyncio.get_running_loop().time()
            await _ask(page)
            whole.append(asyncio.get_running_loop().time() - began)
        async with _opened(chrome, pieces) as (page, _, _):
            await chrome.start_tracing(page=page, categories=["toplevel"])
            await _ask(page)
            longest.append(_longest_task(await chrome.stop_tracing()))
    return (
        (f"{CHARS:,} characters at full speed: complete after", *_spread(whole)),
        ("the same: longest task of the page, processor time", *_spread(longest)),
    )


def _longest_task(trace: bytes) -> float:
    """Return the processor time in seconds of the longest task of the main thread.
    Elapsed time would include other work of the machine."""
    events = json.loads(trace)["traceEvents"]
    pages = {
        (each["pid"], each["tid"])
        for each in events
        if each["name"] == "thread_name" and each["args"]["name"] == "CrRendererMain"
    }
    took = [
        each.get("tdur", 0)
        for each in events
        if each["name"].endswith("RunTask") and (each["pid"], each["tid"]) in pages
    ]
    return float(max(took)) / 1_000_000


async def _ask(page: Page) -> None:
    await page.fill("#message", "@Claude write")
    await page.keyboard.press("Enter")
    # The page's policy forbids strings as code, so Playwright cannot wait for an
    # expression.
    await page.wait_for_selector("article.bot:not([aria-busy])", timeout=120_000)


def _spread(took: Sequence[float]) -> tuple[str, str, str]:
    return span(min(took)), middle(took), span(max(took))
