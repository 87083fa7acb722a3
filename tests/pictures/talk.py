"""The texts of people and of Claude in the pictures."""

from tests.emulators.claude.reply import Think

#: Speakers and texts of the thread; the last of them asks the bot.
TALK = (
    ("Alice", "Since this morning the nightly build fails on CI."),
    ("Bob", "Since when exactly? I merged the cache change at 9."),
    ("Alice", "{mention} what could it be?"),
)
#: The same, where the bot opens the thread.
QUESTION = (
    "Alice",
    "{mention} since this morning the nightly build fails on CI. Bob merged the cache "
    "change at 9. What could it be?",
)
ADVICE = """\
The cache change is the likely cause. It keys on the lock file, and that was \
regenerated right after:

| Time | Commit | Build |
|---|---|---|
| 8:50 | Bump the linter | passed |
| 9:00 | Cache by lock file | passed |
| 9:12 | Regenerate the lock | **failed** |

Let the key depend on the Python version, too:

```yaml
cache-key: ${{ hashFiles('uv.lock', '.python-version') }}
```

If the build still fails after that, send me its first error."""
FOLLOW_UP = ("Bob", "{mention} do we have to empty the old cache?")
FURTHER = """\
No. With another key nothing finds the old entries any more, and they **expire after \
7 days** without a hit."""

RUNNING = ("Alice", "{mention} write the note for the release, please.")
#: All that is written so far, and the rest.
NOTE = (
    """\
## Nightly builds work again

Since 9:12 they restored packages of another Python version. What is new:

1. The key of the cache names the Python version.""",
    "\n2. The lock file is checked before it is cached.",
)
WAITING = ("Bob", "And mention that nobody has to clear anything.")
ENOUGH = "Added: nobody has to clear anything."

PROMPT = """\
You answer questions about billing in the team's own words. Quote the clause that you \
rely on, and say plainly when there is none.

Never promise a refund: say who decides, and how long that takes."""
#: The admin's commands in that channel, and for all; `alice` is a mention.
LINES = (
    f"set prompt {PROMPT}",
    "model opus",
    "budget day 0.50",
    "budget month 20 workspace",
    "set person_messages workspace 30",
    "set admins workspace {alice}",
    "set prompt workspace Be accurate, kind and brief.",
)
#: The sections of settings that have a form of their own, and what each is called.
SECTIONS = {
    "answers": "Model and answers",
    "spending": "Spending",
    "access": "Access",
    "triage": "Triage",
}
#: All forms but that of the prompt, in two columns of about the same height.
FORMS = ("model", "spending", "access", "budget", "answers", "triage")
#: The people who ask in the channel with settings of its own.
QUESTIONS = (
    ("Alice", "Can we refund a yearly plan?"),
    ("Bob", "Which tax is on invoice 118?"),
    ("Alice", "Who signs off credit notes?"),
)
#: An answer with enough thought before it to cost something.
ANSWER = (Think(tokens=3_500), "Clause 4.2: within 14 days, pro rata. Finance decides.")

#: Lines typed in a terminal.
TYPED = ("our nightly build fails since 9, why?", "do we have to empty the old cache?")
#: How many tickets are sorted there.
TICKETS = 40

#: Somebody wants a file, and gets it.
WANTED = (
    "Bob",
    "{mention} give me a script that empties the old cache, as a file. Dana's team "
    "wants to see first what it would delete.",
)
SCRIPT = (
    "It only lists what it would delete, unless you call it with `--delete`:\n\n"
    '```bash title="empty-cache.sh"\n'
    """#!/usr/bin/env bash
# Lists caches of Python 3.11 that nobody used for a week.
set -euo pipefail

cache="${CACHE_DIR:-/var/cache/ci}"
mode="${1:-}"

find "$cache" -maxdepth 1 -name 'py311-*' -mtime +7 -print0 |
while IFS= read -r -d '' each; do
    size=$(du -sh "$each" | cut -f1)
    if [[ "$mode" == --delete ]]; then
        rm -rf -- "$each"
        echo "deleted $each ($size)"
    else
        echo "would delete $each ($size)"
    fi
done
```

Run it on the CI machine, as the user that owns the cache."""
)
