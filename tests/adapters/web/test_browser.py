"""The local workspace in a real browser."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.support import chromium
from tests.support.memory_store import MemoryStore
from tests.support.scripted_model import Line, ScriptedModel
from tests.support.web_harness import Browser as Client
from tests.support.web_harness import browsing

pytestmark = pytest.mark.asyncio(loop_scope="session")

#: The budget of the first load, in bytes.
FIRST_LOAD = 100_000

HOSTILE = """\
# <img src=x onerror=alert(1)>

<script>alert(2)</script> [a](javascript:alert(3)) ![b](http://example.org/x.png)

```html
<script>alert(4)</script>
```

| <b onmouseover=alert(5)> | `<i>` |
|:--|--:|
| "><svg onload=alert(6)> | 1 |
"""

VARIED = """\
# Head

Some `code` and a [link](http://example.org).

- one

| a |
|--|
| b |

```python
def f(x):  # why
    return "a" + 1
```
"""


@contextlib.asynccontextmanager
async def opened(
    chrome: Browser, *scripts: list[Line], path: str = "/c/welcome", **options: Any
) -> AsyncIterator[tuple[Page, Client]]:
    """A page on the workspace, in which no script fails and no policy is broken."""
    async with browsing(MemoryStore(), ScriptedModel(*scripts)) as client:
        context = await chromium.new_context(chrome, **options)
        faults: list[str] = []
        try:
            page = await watched(context, faults)
            await page.goto(client.address + path)
            yield page, client
        finally:
            await context.close()
        assert faults == []


async def watched(context: BrowserContext, faults: list[str]) -> Page:
    page = await context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda line: faults.append(line.text) if line.type == "error" else None,
    )
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    return page


async def test_the_first_screen_asks_for_nothing_and_answers(chrome: Browser) -> None:
    async with opened(chrome, ["Much."]) as (page, _):
        examples = page.locator("[data-example]")
        assert await examples.count() == 3
        await expect(page.locator(".welcome")).to_contain_text("offline model")
        await expect(page.locator(".welcome")).to_contain_text("ANTHROPIC_API_KEY")
        await expect(page.locator(".welcome")).to_contain_text("Slack or Discord")
        # By keyboard alone.
        await examples.first.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("article.bot")).to_contain_text("Much.")
        await expect(page.locator("#reply")).to_be_focused()
        assert re.search(r"/c/welcome/t/[0-9a-f]{32}$", page.url)
        await page.keyboard.press("Escape")
        await expect(page.locator("#thread")).to_be_hidden()
        await expect(page.locator("#topics li")).to_contain_text("1 reply")


async def test_the_first_load_is_small(chrome: Browser) -> None:
    async with browsing(MemoryStore(), ScriptedModel()) as client:
        context = await chromium.new_context(chrome)
        page = await context.new_page()
        sizes: list[int] = []
        addresses: list[str] = []

        async def finished(request: Any) -> None:
            found = await request.sizes()
            sizes.append(found["responseBodySize"] + found["responseHeadersSize"])

        page.on("request", lambda request: addresses.append(request.url))
        page.on("requestfinished", finished)
        await page.goto(client.address)
        await expect(page.locator("#message")).to_be_focused()
        await context.close()
    assert sum(sizes) < FIRST_LOAD
    assert len(sizes) >= 5
    # Nothing comes from elsewhere.
    assert all(each.startswith(client.address) for each in addresses)


async def test_two_browsers_show_one_thread_live_and_reload_changes_nothing(
    chrome: Browser,
) -> None:
    held = asyncio.Event()
    async with opened(chrome, ["One.\n\nTwo", held, " and three."]) as (page, _):
        await page.fill("#message", "@Claude count")
        await page.keyboard.press("Enter")
        await expect(page.locator("article.bot")).to_contain_text("Two")
        other = await (await chromium.new_context(chrome)).new_page()
        await other.goto(page.url)
        await expect(other.locator("article.bot")).to_contain_text("Two")
        await page.reload()
        await expect(page.locator("article.bot")).to_contain_text("Two")
        held.set()
        for each in (page, other):
            answer = each.locator("article.bot")
            await expect(answer).to_contain_text("Two and three.")
            await expect(answer).not_to_have_attribute("aria-busy", "true")
            assert await each.locator("article").count() == 2
        texts = [
            await each.inner_text("#posts .blocks >> nth=1") for each in (page, other)
        ]
        await page.reload()
        assert {*texts, await page.inner_text("#posts .blocks >> nth=1")} == {texts[0]}
        await other.context.close()


async def test_answers_are_read_aloud_sentence_by_sentence(chrome: Browser) -> None:
    held, last = asyncio.Event(), asyncio.Event()
    script: list[Line] = ["The first. The sec", held, "ond one. And a", last, " third"]
    async with opened(chrome, script) as (page, _):
        await page.fill("#message", "@Claude speak")
        await page.keyboard.press("Enter")
        spoken = page.locator("#spoken")
        await expect(spoken).to_have_text("The first.")
        held.set()
        await expect(page.locator("#spoken p").nth(1)).to_have_text("The second one.")
        last.set()
        await expect(spoken).to_contain_text("And a third")
        await expect(spoken).to_contain_text("The answer is complete.")
        assert (await spoken.inner_text()).count("The first.") == 1


async def test_an_answer_is_stopped_by_keyboard(chrome: Browser) -> None:
    async with opened(chrome, ["Half of", asyncio.Event()], ["All."]) as (page, _):
        await page.fill("#message", "@Claude write")
        await page.keyboard.press("Enter")
        stop = page.get_by_role("button", name="Stop", exact=True)
        await stop.focus()
        await page.keyboard.press("Enter")
        retry = page.get_by_role("button", name="Retry")
        await expect(retry).to_be_visible()
        await expect(page.locator("article.bot")).to_contain_text("Half of")
        await retry.click()
        await expect(page.locator("article.bot")).to_contain_text("All.")
        await expect(page.locator("article.bot")).not_to_contain_text("Half of")
        await page.get_by_role("button", name="Receipt").click()
        await expect(page.locator(".note").last).to_contain_text("claude-sonnet")
        for _ in range(await page.locator(".note").count()):
            await page.get_by_role("button", name="Dismiss").last.click()
        await expect(page.locator(".note")).to_have_count(0)


async def test_the_settings_of_a_channel_are_changed_in_a_panel(
    chrome: Browser,
) -> None:
    async with opened(chrome, ["Arr."], path="/c/engineering") as (page, _):
        await page.click("#settings")
        panel = page.locator("#panel")
        await expect(panel).to_contain_text("Settings of this channel")
        await panel.get_by_role("button", name="Edit instructions").click()
        form = page.locator("dialog form")
        box = form.locator("textarea").first
        await expect(box).to_be_focused()
        await box.fill("Speak like a pirate.")
        await form.get_by_role("button", name="Save").click()
        await expect(page.locator("dialog")).to_be_hidden()
        await expect(panel).to_contain_text("Speak like a pirate.")
        await page.keyboard.press("Escape")
        await expect(panel).to_be_hidden()
        await expect(page.locator("#settings")).to_be_focused()
        # A member sees them and cannot change them.
        await page.select_option("#speaker", "ben")
        await page.wait_for_url("**?as=ben")
        await page.click("#settings")
        await expect(page.locator("#panel")).to_contain_text("Speak like a pirate.")
        edit = page.locator("#panel").get_by_role("button", name="Edit instructions")
        await expect(edit).to_have_count(0)


async def test_files_are_dropped_and_pasted(chrome: Browser) -> None:
    async with opened(chrome, ["Read."]) as (page, _):
        for kind, name in (("drop", "notes.txt"), ("paste", "pasted.txt")):
            await page.evaluate(
                """([kind, name]) => {
                    const files = new DataTransfer();
                    files.items.add(new File(["the word is rhubarb"], name));
                    const box = document.querySelector("#message");
                    const paste = {clipboardData: files, bubbles: true};
                    const drop = {dataTransfer: files, bubbles: true};
                    const event = kind === "drop"
                        ? new DragEvent("drop", drop)
                        : new ClipboardEvent("paste", paste);
                    box.dispatchEvent(event);
                }""",
                [kind, name],
            )
        chosen = page.locator("#middle .chosen li")
        await expect(chosen).to_have_count(2)
        await page.get_by_role("button", name="Remove pasted.txt").click()
        await expect(chosen).to_have_count(1)
        await page.fill("#message", "@Claude read it")
        await page.keyboard.press("Enter")
        await expect(page.locator("article.bot")).to_contain_text("Read.")
        await expect(page.locator("article .files")).to_contain_text("notes.txt")


async def test_scripts_in_an_answer_are_text(chrome: Browser) -> None:
    async with opened(chrome, [HOSTILE]) as (page, _):
        await page.fill("#message", f"@Claude {HOSTILE}")
        await page.keyboard.press("Enter")
        answer = page.locator("article.bot")
        await expect(answer).not_to_have_attribute("aria-busy", "true")
        await expect(answer).to_contain_text("<script>alert(2)</script>")
        await expect(answer.locator("figure")).to_contain_text(
            "<script>alert(4)</script>"
        )
        for tag in ("script", "img", "svg", "b[onmouseover]", "[href^=javascript]"):
            assert await page.locator(f"#posts {tag}").count() == 0, tag
        # The page does not load what an answer names.
        assert await page.locator(
            "article.bot a[href='http://example.org/x.png']"
        ).count()


async def test_code_is_copied(chrome: Browser) -> None:
    async with opened(
        chrome,
        ["```python\nprint('hello')\n```\n"],
        permissions=["clipboard-read", "clipboard-write"],
    ) as (page, _):
        await page.fill("#message", "@Claude code")
        await page.keyboard.press("Enter")
        await expect(page.locator("figure .c-nb")).to_have_text("print")
        await page.get_by_role("button", name="Copy").click()
        await expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert (
            await page.evaluate("navigator.clipboard.readText()") == "print('hello')\n"
        )


async def test_pages_are_accessible(chrome: Browser) -> None:
    async with opened(chrome, [VARIED]) as (page, _):
        await page.click("#settings")
        await expect(page.locator("#panel")).to_contain_text("Settings of")
        await accessible(page)
        await page.get_by_role("button", name="Edit answers").click()
        await expect(page.locator("dialog form")).to_be_visible()
        await accessible(page)
        await page.keyboard.press("Escape")
        await page.keyboard.press("Escape")
        await page.fill("#message", "@Claude hello @Ben")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Receipt")).to_be_visible()
        await accessible(page)


async def accessible(page: Page) -> None:
    """Fail if axe finds a violation of WCAG 2.2 at level A or AA, in light or in
    dark colours."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    await _accessible(page, {"type": "tag", "values": tags})
    await page.emulate_media(color_scheme="dark")
    # In the dark, nothing but the colours is another.
    await _accessible(page, {"type": "rule", "values": ["color-contrast"]})
    await page.emulate_media(color_scheme="light")


async def _accessible(page: Page, rules: dict[str, object]) -> None:
    found = await Axe().run(page, options={"runOnly": rules})
    problems = [
        (each["id"], [node["html"][:200] for node in each["nodes"]])
        for each in found.response["violations"]
    ]
    assert problems == []


async def test_a_narrow_screen_shows_one_column(chrome: Browser) -> None:
    size = {"width": 360, "height": 640}
    text = "Word " * 40 + "\n\n```\n" + "x" * 300 + "\n```\n\n| " + "a | " * 20 + "\n"
    async with opened(chrome, [text], viewport=size) as (page, _):
        wide = "document.documentElement.scrollWidth > innerWidth"
        assert not await page.evaluate(wide)
        await page.click("#menu")
        await expect(page.locator("#speaker")).to_be_visible()
        await page.click("#menu")
        await page.fill("#message", "@Claude write")
        await page.keyboard.press("Enter")
        await expect(page.locator("article.bot figure")).to_be_visible()
        await expect(page.locator("#middle")).to_be_hidden()
        assert not await page.evaluate(wide)
        await page.click("#close")
        await expect(page.locator("#middle")).to_be_visible()


async def test_nothing_moves_for_who_wants_that(chrome: Browser) -> None:
    held = asyncio.Event()
    async with opened(chrome, [held, "Done."], reduced_motion="reduce") as (page, _):
        await page.fill("#message", "@Claude wait")
        await page.keyboard.press("Enter")
        dots = page.locator(".dots i").first
        await dots.wait_for(state="attached")
        assert (await dots.evaluate("e => getComputedStyle(e).animationName")) == "none"
        held.set()
        await expect(page.locator("article.bot")).to_contain_text("Done.")


async def test_a_message_is_edited_and_deleted_in_its_menu(chrome: Browser) -> None:
    async with opened(chrome) as (page, _):
        await page.fill("#message", "hello there")
        await page.keyboard.press("Enter")
        article = page.locator("#posts article")
        await expect(article).to_contain_text("hello there")
        await article.locator("summary").click()
        await article.get_by_role("button", name="Edit").click()
        box = article.locator("textarea")
        await expect(box).to_have_value("hello there")
        await box.fill("hello here")
        await article.get_by_role("button", name="Save").click()
        await expect(article).to_contain_text("hello here")
        await expect(article).to_contain_text("edited")


async def test_commands_and_people_are_suggested(chrome: Browser) -> None:
    async with opened(chrome, ["Hi."]) as (page, _):
        box, options = page.locator("#message"), page.locator("[role=option]")
        await box.press_sequentially("/us")
        await expect(options).to_have_text(re.compile("usage"))
        await accessible(page)
        await page.keyboard.press("Enter")
        await expect(box).to_have_value("/usage")
        await page.keyboard.press("Enter")
        await expect(page.locator(".note")).to_contain_text("today")
        await box.press_sequentially("@c")
        await page.keyboard.press("Tab")
        await expect(box).to_have_value("@Claude ")
        await box.press_sequentially("ask @")
        await expect(options).to_have_count(5)
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        await expect(box).to_have_value("@Claude ask @Ben ")
        await page.keyboard.press("Enter")
        await expect(page.locator("article.bot")).to_contain_text("Hi.")
