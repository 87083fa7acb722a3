"""Draws the screenshots of the pages in the browser: `make screenshots`.

Threadkeep runs in this process with a scripted model, and a real Chromium shows what it
serves; the files are in docs/pictures/.
"""

import asyncio
import sys
from collections.abc import Sequence

from playwright.async_api import Page, ViewportSize, expect

from bot.domain.completion import Report, Usage
from tests.pictures import talk
from tests.support import chromium
from tests.support.memory_store import MemoryStore
from tests.support.process import ROOT
from tests.support.scripted_model import Line, ScriptedModel
from tests.support.web_harness import Browser, browsing

FOLDER = ROOT / "docs" / "pictures"
WIDE: ViewportSize = {"width": 1280, "height": 800}
NARROW: ViewportSize = {"width": 390, "height": 844}

SCRIPT = """\
`retry` waits twice as long after each try, and never longer than a minute:

```python
async def retry(work, tries=5, first=0.5, longest=60.0):
    for nth in range(tries):
        try:
            return await work()
        except ConnectionError:
            await asyncio.sleep(min(longest, first * 2**nth))
    raise TimeoutError(f"gave up after {tries} tries")
```

| Try | Waits before it | In all |
|--:|--:|--:|
| 1 | 0.0 s | 0.0 s |
| 2 | 0.5 s | 0.5 s |
| 3 | 1.0 s | 1.5 s |
| 4 | 2.0 s | 3.5 s |

With full jitter the mean wait is $w_n = \\tfrac{1}{2} \\cdot f \\cdot 2^n$: draw each \
wait between zero and that bound, so that clients which failed together do not come \
back together."""


#: Where the answer is when it is drawn while it grows.
HALF = SCRIPT.index("| 3 |")


def finished(text: str, read: int, written: int) -> Sequence[Line]:
    """Return a script that says `text` and reports what that took."""
    usage = Usage(input=read, output=written)
    return [text, Report("claude-sonnet-5-5", "req_1", usage, "end_turn")]


async def main() -> None:
    """Draw all screenshots."""
    held = asyncio.Event()
    model = ScriptedModel(
        finished(talk.ADVICE, 2_310, 402),
        finished(talk.FURTHER, 3_020, 96),
        finished("A slot opens on **Tuesday at 10**; I noted it.", 1_210, 60),
        finished(
            "The invoice of May is paid twice; the refund is the team's.", 2_900, 88
        ),
        [SCRIPT[:HALF], held, SCRIPT[HALF:]],
    )
    async with (
        browsing(MemoryStore(), model) as client,
        chromium.launched() as chrome,
    ):
        for typed, channel in (
            ("/set feedback workspace on", "welcome"),
            ("/budget day 5", "support"),
            ("/set prompt Answer in two sentences, and name your source.", "support"),
        ):
            await client.post(
                "/local/command", typed=typed, channel=channel, as_="olga"
            )
        thread = await _talk(client)
        context = await chromium.new_context(
            chrome, viewport=WIDE, device_scale_factor=2, reduced_motion="reduce"
        )
        page = await context.new_page()
        await page.goto(f"{client.address}/c/engineering/t/{thread}?as=mia")
        await expect(page.locator("article")).to_have_count(6)
        await _draw(page, "web-workspace")
        await page.goto(f"{client.address}/c/welcome?as=olga")
        await _draw(page, "web-welcome")
        await page.goto(f"{client.address}/c/support?as=olga")
        await page.click("#settings")
        await expect(page.locator("#panel")).to_contain_text("Settings of this channel")
        await _draw(page, "web-settings")
        await page.goto(f"{client.address}/c/engineering?as=ben")
        await page.fill(
            "#message", "@Claude how should our client retry? With a table."
        )
        await page.keyboard.press("Enter")
        await expect(page.locator("article.bot")).to_contain_text("gave up after")
        await _draw(page, "web-growing")
        await page.emulate_media(color_scheme="dark")
        held.set()
        await expect(page.get_by_role("button", name="Receipt")).to_be_visible()
        await _draw(page, "web-dark")
        await page.emulate_media(color_scheme="light")
        await page.goto(f"{client.address}/console/usage?days=30")
        await _draw(page, "web-console")
        await context.close()
        context = await chromium.new_context(
            chrome, viewport=NARROW, device_scale_factor=2, reduced_motion="reduce"
        )
        page = await context.new_page()
        await page.goto(f"{client.address}/c/engineering/t/{thread}?as=mia")
        await expect(page.locator("article")).to_have_count(6)
        await _draw(page, "web-narrow")
        await context.close()


async def _talk(client: Browser) -> str:
    """Let people talk in some channels; return the thread to show."""
    at = {"channel": "engineering"}
    _, thread = await client.say(
        "Since this morning the nightly build fails on CI.", as_="mia", **at
    )
    await client.say(
        "Since when exactly? I merged the cache change at 9.",
        as_="ben",
        thread=thread,
        **at,
    )
    await client.say("@Claude what could it be?", as_="mia", thread=thread, **at)
    await client.answered("engineering", thread)
    await client.say(
        "@Claude do we have to empty the old cache?", as_="ben", thread=thread, **at
    )
    await client.answered("engineering", thread, 2)
    for text, who in (
        ("@Claude when can we meet the auditors?", "olga"),
        ("@Claude why did this customer pay twice?", "ben"),
    ):
        _, other = await client.say(text, as_=who, channel="support")
        await client.answered("support", other)
    await client.say("Lunch at 12?", as_="olga", **at)
    return thread


async def _draw(page: Page, name: str) -> None:
    await page.evaluate("document.activeElement?.blur()")
    await page.wait_for_timeout(200)
    await page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    if chromium.path() is None:
        sys.exit(f"make screenshots: {chromium.MISSING}")
    asyncio.run(main())
