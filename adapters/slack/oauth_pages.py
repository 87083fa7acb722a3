"""Builds the HTML pages for people who install the app. Pure.

The pages look like those of the web adapter, and load no scripts, fonts or images.
"""

from html import escape

from bot.messages import slack_install as texts

_STYLE = """
:root { color-scheme: light dark; --page: #f6f3ee; --panel: #fffdfa; --text: #211c17;
  --quiet: #665c52; --line: #ddd4c8; --accent: #85451f; --on-accent: #fffdfa;
  --focus: #1f5fbf; }
@media (prefers-color-scheme: dark) { :root { --page: #171411; --panel: #1e1a17;
  --text: #ece5db; --quiet: #ada295; --line: #38312a; --accent: #e2a578;
  --on-accent: #221509; --focus: #8db8ff; } }
*, ::before, ::after { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue",
  "DejaVu Sans", sans-serif; }
header { padding: 12px 20px; background: var(--panel);
  border-bottom: 1px solid var(--line); font-weight: 650; }
main { max-width: 34rem; margin: 12vh auto 0; padding: 0 20px; }
section { background: var(--panel); border: 1px solid var(--line); border-radius: 8px;
  padding: 24px; }
h1 { font-size: 1.3rem; line-height: 1.25; margin: 0 0 10px; }
p { margin: 0 0 12px; }
p.next { color: var(--quiet); }
a.button { display: inline-block; margin-top: 6px; padding: 8px 18px;
  border-radius: 6px; background: var(--accent); color: var(--on-accent);
  text-decoration: none; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
"""

#: The response headers of these pages. The pages only show text, so they need neither
#: form actions nor frames.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
        "base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def page(
    title: str, *paragraphs: str, link: tuple[str, str] | None = None, more: str = ""
) -> str:
    """Return a page with `paragraphs`, `more` as a paragraph in a quiet colour, and
    `link` as (address, text)."""
    body = [f"<h1>{escape(title)}</h1>"]
    body += [f"<p>{escape(each)}</p>" for each in paragraphs]
    if more:
        body.append(f'<p class="next">{escape(more)}</p>')
    if link:
        address, text = link
        body.append(f'<a class="button" href="{escape(address)}">{escape(text)}</a>')
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><header>{escape(texts.PRODUCT)}</header>\n"
        f"<main><section>{''.join(body)}</section></main></body></html>\n"
    )


def install(address: str) -> str:
    """Return the page that links to Slack's consent page at `address`."""
    return page(texts.TITLE_INSTALL, texts.INSTALL, link=(address, texts.ADD))


def installed_page(name: str, app: str, team: str) -> str:
    """Return the page for people who have installed the app with the id `app` in the
    workspace `name`, whose id is `team`."""
    address = f"slack://app?team={team}&id={app}" if team and app else "slack://open"
    text = texts.done(name=name)
    link = (address, texts.OPEN_SLACK)
    return page(texts.TITLE_DONE, text, more=texts.NEXT, link=link)


def cancelled_page(again: str) -> str:
    """Return the page for people who did not consent. `again` is the path of the first
    page."""
    return page(texts.TITLE_CANCELLED, texts.CANCELLED, link=(again, texts.AGAIN))


def failed_page(reason: str, again: str) -> str:
    """Return the page for a failed installation. `reason` is a sentence, and `again` is
    the path of the first page."""
    return page(texts.TITLE_FAILED, reason, link=(again, texts.AGAIN))
