"""Reads prompts from the requests that the emulated Claude received."""

from typing import Any

from tests.emulators.claude.emulator import ClaudeEmulator


def newest_prompts(claude: ClaudeEmulator) -> list[str]:
    """Return the text of the newest user entry of each request, without files."""
    bodies = [each.body for each in claude.requests if "messages" in each.body]
    return [_text(body["messages"][-1]["content"]) for body in bodies]


def _text(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(each["text"] for each in content if each["type"] == "text")
