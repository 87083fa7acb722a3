"""Safe names for the files of an answer. Pure.

Rule: a name is shown to people and used by their computers, and a model or anybody else
may have written it. Only letters, digits and a few signs are kept, so that a name
contains no path, mention, Markdown, address that becomes a link, or character that
changes the text direction.
"""

import re

# The longest stem and extension: Discord and Slack show such a name on one line (an
# estimate).
MOST_STEM, MOST_EXTENSION = 60, 12

# The characters of a name that are read at all.
MOST_READ = 400

_PATH = re.compile(r"[/\\]")
_SPACE = re.compile(r"\s+")
_FOREIGN = re.compile(r"[^\w.+()\-]+")
_DOTS = re.compile(r"\.{2,}")
_EXTENSION = re.compile(r"[A-Za-z0-9]{1,12}")

# Names of files without an extension.
_BARE = frozenset(
    ("dockerfile", "makefile", "procfile", "gemfile", "jenkinsfile", "license")
)

# Windows runs files with these extensions, and no text has such a format.
_PROGRAMS = frozenset(
    ("com", "cpl", "dll", "exe", "gadget", "jar", "lnk", "msi", "msp", "pif", "scr")
)

# Device names on Windows, which no file can have.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)

_EXTENSIONS = {
    "bash": "sh",
    "batch": "bat",
    "c#": "cs",
    "c++": "cpp",
    "console": "txt",
    "cpp": "cpp",
    "csharp": "cs",
    "dockerfile": "dockerfile",
    "elixir": "ex",
    "erlang": "erl",
    "fsharp": "fs",
    "golang": "go",
    "haskell": "hs",
    "javascript": "js",
    "jsx": "jsx",
    "julia": "jl",
    "kotlin": "kt",
    "latex": "tex",
    "make": "mk",
    "makefile": "mk",
    "markdown": "md",
    "mermaid": "mmd",
    "objective-c": "m",
    "ocaml": "ml",
    "perl": "pl",
    "plaintext": "txt",
    "powershell": "ps1",
    "python": "py",
    "ruby": "rb",
    "rust": "rs",
    "shell": "sh",
    "terraform": "tf",
    "text": "txt",
    "typescript": "ts",
    "vb": "vb",
    "yaml": "yaml",
    "yml": "yaml",
}
# Languages named by the extension of their files.
_CALLED_SO = frozenset(
    (
        *("bat", "c", "conf", "cs", "css", "csv", "dart", "diff", "env", "ex", "go"),
        *("graphql", "h", "hcl", "hpp", "hs", "html", "ini", "java", "jl", "js"),
        *("json", "jsonl", "kt", "log", "lua", "md", "mmd", "nix", "patch", "php"),
        *("pl", "proto", "ps1", "py", "r", "rb", "rs", "rst", "scala", "scss", "sh"),
        *("sql", "svg", "swift", "tex", "tf", "toml", "ts", "tsv", "tsx", "txt"),
        *("vue", "xml", "zig", "zsh"),
    )
)


def extension(language: str) -> str:
    """Return the file extension of `language`; "txt" if it is unknown."""
    known = language.lower()
    return _EXTENSIONS.get(known, known if known in _CALLED_SO else "txt")


def is_file_name(text: str) -> bool:
    """Return True if `text` looks like the name of a file, or a path to one."""
    stem, dot, end = _PATH.split(text)[-1].rpartition(".")
    known = end.lower() in _CALLED_SO | _EXTENSIONS.keys()
    return bool(stem and dot) and known and not _SPACE.search(text)


def safe_name(wanted: str, language: str = "") -> str:
    """Return a safe name made from `wanted`, with an extension; "" if nothing is left.

    Without an extension in `wanted`, the name gets that of `language`.
    """
    name = _PATH.split(wanted[:MOST_READ].strip().rstrip("/\\"))[-1]
    name = _DOTS.sub(".", _FOREIGN.sub("", _SPACE.sub("_", name.strip())))
    name = name.lstrip("-_+").rstrip("._-+")
    hidden = "." if name.startswith(".") else ""
    name = name.removeprefix(".")
    stem, dot, end = name.rpartition(".")
    if not dot or not stem or not _EXTENSION.fullmatch(end):
        stem, end = name, ""
    stem = stem[:MOST_STEM].rstrip("._-+ ")
    if not any(map(str.isalnum, stem)):
        return ""
    if _DEVICES.fullmatch(stem.split(".")[0]):
        stem = f"_{stem}"
    if not end and (hidden or stem.lower() in _BARE):
        return f"{hidden}{stem}"
    end = end[:MOST_EXTENSION] or extension(language)
    return f"{hidden}{stem}.{end}" + ".txt" * (end.lower() in _PROGRAMS)


def unused_name(name: str, used: frozenset[str]) -> str:
    """Return `name`, with a number if `used` contains it. Case is ignored."""
    folded = {each.casefold() for each in used}
    if name.casefold() not in folded:
        return name
    stem, dot, end = name.rpartition(".")
    if not stem:
        stem, dot, end = name, "", ""
    number = 2
    while f"{stem}-{number}{dot}{end}".casefold() in folded:
        number += 1
    return f"{stem}-{number}{dot}{end}"
