"""The local workspace in a real browser."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from bot.domain.completion import Report, Usage
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
    tab: Page, *scripts: list[Line], path: str = "/c/welcome", **options: Any
) -> AsyncIterator[Client]:
    """Show the workspace in `tab`, where no script fails and no policy is broken."""
    faults: list[str] = []
    watching: dict[Any, Callable[[Any], None]] = {
        "pageerror": lambda error: faults.append(str(error)),
        "console": lambda line: (
            faults.append(line.text) if line.type == "error" else None
        ),
        "dialog": lambda dialog: faults.append(dialog.message),
    }
    async with (
        browsing(MemoryStore(), ScriptedModel(*scripts)) as client,
        chromium.used(tab, **options),
    ):
        for event, watch in watching.items():
            tab.on(event, watch)
        try:
            await tab.goto(client.address + path)
            yield client
        finally:
            for event, watch in watching.items():
                tab.remove_listener(event, watch)
    assert faults == []


async def test_the_first_screen_asks_for_nothing_and_answers(tab: Page) -> None:
    sizes: list[int] = []
    addresses: list[str] = []

    async def finished(request: Any) -> None:
        found = await request.sizes()
        sizes.append(found["responseBodySize"] + found["responseHeadersSize"])

    def begun(request: Any) -> None:
        addresses.append(request.url)

    tab.on("request", begun)
    tab.on("requestfinished", finished)
    async with opened(tab, ["Much."], path="/") as client:
        await expect(tab.locator("#message")).to_be_focused()
        tab.remove_listener("request", begun)
        tab.remove_listener("requestfinished", finished)
        assert sum(sizes) < FIRST_LOAD
        assert len(sizes) >= 5
        # Nothing comes from elsewhere.
        assert all(each.startswith(client.address) for each in addresses)
        examples = tab.locator("[data-example]")
        assert await examples.count() == 3
        await expect(tab.locator(".welcome")).to_contain_text("offline model")
        await expect(tab.locator(".welcome")).to_contain_text("ANTHROPIC_API_KEY")
        await expect(tab.locator(".welcome")).to_contain_text("Slack or Discord")
        # By keyboard alone.
        await examples.first.focus()
        await tab.keyboard.press("Enter")
        await expect(tab.locator("article.bot")).to_contain_text("Much.")
        await expect(tab.locator("#reply")).to_be_focused()
        assert re.search(r"/c/welcome/t/[0-9a-f]{32}$", tab.url)
        await tab.keyboard.press("Escape")
        await expect(tab.locator("#thread")).to_be_hidden()
        await expect(tab.locator("#topics li")).to_contain_text("1 reply")


async def test_an_answer_grows_in_two_tabs_is_read_aloud_and_reload_changes_nothing(
    tab: Page,
) -> None:
    held, last = asyncio.Event(), asyncio.Event()
    script: list[Line] = ["The first. The sec", held, "ond one. And a", last, " third"]
    async with opened(tab, script):
        await tab.fill("#message", "@Claude speak")
        await tab.keyboard.press("Enter")
        spoken = tab.locator("#spoken")
        await expect(spoken).to_have_text("The first.")
        other = await tab.context.new_page()
        await other.goto(tab.url)
        await expect(other.locator("article.bot")).to_contain_text("The sec")
        held.set()
        await expect(tab.locator("#spoken p").nth(1)).to_have_text("The second one.")
        await other.reload()
        await expect(other.locator("article.bot")).to_contain_text("The second one.")
        last.set()
        for each in (tab, other):
            answer = each.locator("article.bot")
            await expect(answer).to_contain_text("And a third")
            await expect(answer).not_to_have_attribute("aria-busy", "true")
            assert await each.locator("article").count() == 2
        await expect(spoken).to_contain_text("And a third")
        await expect(spoken).to_contain_text("The answer is complete.")
        assert (await spoken.inner_text()).count("The first.") == 1
        texts = [
            await each.inner_text("#posts .blocks >> nth=1") for each in (tab, other)
        ]
        await tab.reload()
        assert {*texts, await tab.inner_text("#posts .blocks >> nth=1")} == {texts[0]}
        await other.close()


async def test_an_answer_is_stopped_by_keyboard(tab: Page) -> None:
    async with opened(tab, ["Half of", asyncio.Event()], ["All."]):
        await tab.fill("#message", "@Claude write")
        await tab.keyboard.press("Enter")
        stop = tab.get_by_role("button", name="Stop", exact=True)
        await stop.focus()
        await tab.keyboard.press("Enter")
        retry = tab.get_by_role("button", name="Retry")
        await expect(retry).to_be_visible()
        await expect(tab.locator("article.bot")).to_contain_text("Half of")
        await retry.click()
        await expect(tab.locator("article.bot")).to_contain_text("All.")
        await expect(tab.locator("article.bot")).not_to_contain_text("Half of")
        await tab.get_by_role("button", name="Receipt").click()
        await expect(tab.locator(".note").last).to_contain_text("claude-sonnet")
        for _ in range(await tab.locator(".note").count()):
            await tab.get_by_role("button", name="Dismiss").last.click()
        await expect(tab.locator(".note")).to_have_count(0)


async def test_the_settings_of_a_channel_are_changed_in_a_panel(
    tab: Page,
) -> None:
    async with opened(tab, ["Arr."], path="/c/engineering"):
        await tab.click("#settings")
        panel = tab.locator("#panel")
        await expect(panel).to_contain_text("Settings of this channel")
        await panel.get_by_role("button", name="Edit instructions").click()
        form = tab.locator("dialog form")
        box = form.locator("textarea").first
        await expect(box).to_be_focused()
        await box.fill("Speak like a pirate.")
        await form.get_by_role("button", name="Save").click()
        await expect(tab.locator("dialog")).to_be_hidden()
        await expect(panel).to_contain_text("Speak like a pirate.")
        await tab.keyboard.press("Escape")
        await expect(panel).to_be_hidden()
        await expect(tab.locator("#settings")).to_be_focused()
        # A member sees them and cannot change them.
        await tab.select_option("#speaker", "ben")
        await tab.wait_for_url("**?as=ben")
        await tab.click("#settings")
        await expect(tab.locator("#panel")).to_contain_text("Speak like a pirate.")
        edit = tab.locator("#panel").get_by_role("button", name="Edit instructions")
        await expect(edit).to_have_count(0)


async def test_files_are_dropped_and_pasted(tab: Page) -> None:
    async with opened(tab, ["Read."]):
        for kind, name in (("drop", "notes.txt"), ("paste", "pasted.txt")):
            await tab.evaluate(
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
        chosen = tab.locator("#middle .chosen li")
        await expect(chosen).to_have_count(2)
        await tab.get_by_role("button", name="Remove pasted.txt").click()
        await expect(chosen).to_have_count(1)
        await tab.fill("#message", "@Claude read it")
        await tab.keyboard.press("Enter")
        await expect(tab.locator("article.bot")).to_contain_text("Read.")
        await expect(tab.locator("article .files")).to_contain_text("notes.txt")


async def test_scripts_in_an_answer_are_text_and_code_is_copied(tab: Page) -> None:
    permissions = ("clipboard-read", "clipboard-write")
    answer = f"{HOSTILE}\n```python\nprint('hello')\n```\n"
    async with opened(tab, [answer], permissions=permissions):
        await tab.fill("#message", f"@Claude {HOSTILE}")
        await tab.keyboard.press("Enter")
        shown = tab.locator("article.bot")
        await expect(shown).not_to_have_attribute("aria-busy", "true")
        await expect(shown).to_contain_text("<script>alert(2)</script>")
        await expect(shown.locator("figure").first).to_contain_text(
            "<script>alert(4)</script>"
        )
        for tag in ("script", "img", "svg", "b[onmouseover]", "[href^=javascript]"):
            assert await tab.locator(f"#posts {tag}").count() == 0, tag
        # The page does not load what an answer names.
        assert await tab.locator(
            "article.bot a[href='http://example.org/x.png']"
        ).count()
        code = shown.locator("figure").last
        await expect(code.locator(".c-nb")).to_have_text("print")
        await code.get_by_role("button", name="Copy").click()
        await expect(tab.get_by_role("button", name="Copied")).to_be_visible()
        assert (
            await tab.evaluate("navigator.clipboard.readText()") == "print('hello')\n"
        )


async def test_each_paragraph_reads_in_the_direction_of_its_script(tab: Page) -> None:
    answer = "שלום, Claude!\n\n- אחת\n- שתיים\n\n```python\n# שלום\n```\n\nHello שלום\n"
    async with opened(tab, [answer]):
        await tab.fill("#message", "@Claude שלום")
        await tab.keyboard.press("Enter")
        bot = tab.locator("article.bot")
        await expect(bot).not_to_have_attribute("aria-busy", "true")
        for shown in (0, 1):
            if shown:
                await tab.reload()
            directions = await tab.locator("#posts .block > *").evaluate_all(
                "all => all.map(e => [e.tagName, getComputedStyle(e).direction])"
            )
            assert directions[:5] == [
                *(["P", "rtl"], ["P", "rtl"], ["UL", "rtl"]),
                *(["FIGURE", "ltr"], ["P", "ltr"]),
            ]


async def test_pages_are_accessible(tab: Page) -> None:
    async with opened(tab, [VARIED]):
        await tab.fill("#message", "@Claude hello @Ben")
        await tab.keyboard.press("Enter")
        await expect(tab.get_by_role("button", name="Receipt")).to_be_visible()
        await tab.click("#settings")
        await expect(tab.locator("#panel")).to_contain_text("Settings of")
        await expect(tab.locator("article.bot")).to_be_visible()
        await accessible(tab)
        await tab.get_by_role("button", name="Edit answers").click()
        await expect(tab.locator("dialog form")).to_be_visible()
        await accessible(tab, "dialog")


async def accessible(tab: Page, part: str = "html") -> None:
    """Fail if axe finds a violation of WCAG 2.2 at level A or AA in `part` of the page,
    in light or in dark colours."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    await _accessible(tab, part, {"type": "tag", "values": tags})
    await tab.emulate_media(color_scheme="dark")
    # In the dark, nothing but the colours is another.
    await _accessible(tab, part, {"type": "rule", "values": ["color-contrast"]})
    await tab.emulate_media(color_scheme="light")


async def _accessible(tab: Page, part: str, rules: dict[str, object]) -> None:
    # A document gets it once: half a megabyte takes long to read.
    if not await tab.evaluate("'axe' in window"):
        await tab.evaluate(Axe().axe_script)
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    problems = await tab.evaluate(
        """async ([part, options]) => (await axe.run(part, options)).violations.map(
            each => [each.id, each.nodes.map(node => node.html.slice(0, 200))]
        )""",
        [part, options],
    )
    assert problems == []


async def test_a_narrow_screen_shows_one_column_and_nothing_moves_for_who_wants_that(
    tab: Page,
) -> None:
    size = {"width": 360, "height": 640}
    text = "Word " * 40 + "\n\n```\n" + "x" * 300 + "\n```\n\n| " + "a | " * 20 + "\n"
    held = asyncio.Event()
    spent = Report("claude-sonnet-5-5", "r", Usage(input=10, output=20), "end_turn")
    script: list[Line] = [held, text, spent]
    async with opened(tab, script, size=size, motion="reduce") as client:
        wide = "document.documentElement.scrollWidth > innerWidth"
        assert not await tab.evaluate(wide)
        await tab.click("#menu")
        await expect(tab.locator("#speaker")).to_be_visible()
        await tab.click("#menu")
        await tab.fill("#message", "@Claude write")
        await tab.keyboard.press("Enter")
        dots = tab.locator(".dots i").first
        await dots.wait_for(state="attached")
        assert (await dots.evaluate("e => getComputedStyle(e).animationName")) == "none"
        held.set()
        await expect(tab.locator("article.bot figure")).to_be_visible()
        await expect(tab.locator("#middle")).to_be_hidden()
        assert not await tab.evaluate(wide)
        await tab.click("#close")
        await expect(tab.locator("#middle")).to_be_visible()
        await expect(tab.get_by_text("1 reply")).to_be_visible()
        await tab.goto(f"{client.address}/console/usage?days=30")
        # The chart is wider than the screen, and its newest day is in view.
        bar = await tab.locator(".chart .bar").last.bounding_box()
        assert bar is not None
        assert 0 < bar["x"] < bar["x"] + bar["width"] < size["width"]
        assert not await tab.evaluate(wide)


async def test_a_message_is_edited_and_deleted_in_its_menu(tab: Page) -> None:
    async with opened(tab):
        await tab.fill("#message", "hello there")
        await tab.keyboard.press("Enter")
        article = tab.locator("#posts article")
        await expect(article).to_contain_text("hello there")
        await article.locator("summary").click()
        await article.get_by_role("button", name="Edit").click()
        box = article.locator("textarea")
        await expect(box).to_have_value("hello there")
        await box.fill("hello here")
        await article.get_by_role("button", name="Save").click()
        await expect(article).to_contain_text("hello here")
        await expect(article).to_contain_text("edited")


async def test_commands_and_people_are_suggested(tab: Page) -> None:
    async with opened(tab, ["Hi."]):
        box, options = tab.locator("#message"), tab.locator("[role=option]")
        await box.press_sequentially("/us")
        await expect(options).to_have_text(re.compile("usage"))
        await accessible(tab, "form:has(#message)")
        await tab.keyboard.press("Enter")
        await expect(box).to_have_value("/usage")
        await tab.keyboard.press("Enter")
        await expect(tab.locator(".note")).to_contain_text("today")
        await box.press_sequentially("@c")
        await tab.keyboard.press("Tab")
        await expect(box).to_have_value("@Claude ")
        await box.press_sequentially("ask @")
        await expect(options).to_have_count(5)
        await tab.keyboard.press("ArrowDown")
        await tab.keyboard.press("ArrowDown")
        await tab.keyboard.press("Enter")
        await expect(box).to_have_value("@Claude ask @Ben ")
        await tab.keyboard.press("Enter")
        await expect(tab.locator("article.bot")).to_contain_text("Hi.")
