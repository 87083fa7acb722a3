"""Help for the commands of the command line: `threadkeep --help` and so on.

A line break within a paragraph is shown as a space; an empty line ends a paragraph.
"""

THREADKEEP = "Claude in your team's threads, stored in your own database."
SERVE = "Answer until stopped; in the browser, if no platform is set up."
GATEWAY = """\
Receive and store what people write, until stopped; others answer (`threadkeep work`).

Any number of them may run on one PostgreSQL database. It needs no key of Claude's."""
WORK = """\
Answer what gateways have stored, until stopped.

Any number of them may run on one PostgreSQL database. They open no connection that
events arrive on."""
CHAT = "Talk to Claude in this terminal."
ASK = """\
Answer one QUESTION about what is on standard input.

Either may be left out, as in `threadkeep ask "what is wrong here?" < error.log`."""
COMPLETION = "Print a script that makes a shell complete commands and options."
CHECK = "Check the setup: what is set, what is missing and what is wrong."
USAGE = "Print tokens and cost by day, channel and person."
AUDIT = "Print who changed which setting, and when."
FEEDBACK = "Print the feedback on answers."
EXPLORE = """\
Open Datasette on the database, read-only, with ready-made queries.

It shows a copy without what people wrote; --with-text shows the database itself."""
NOW = """\
Print what the running bot does: connections, open turns, writes, errors.

The exit status is 1 if it does not run with this database."""
BUDGETS = "Print every budget, what is spent, and a forecast for its period."
QUALITY = "Print how answers ended, how long they took, and how they were rated."
THREADS = """\
List the newest threads, or those with all WORDS.

Their text is shown with --private only, since no platform is asked who may read it."""
THREAD = "Show, export or delete what is stored of one thread."
THREAD_SHOW = """\
Print the messages of THREAD, such as slack:T0123ABC:C0123ABC:1795400060.000000.

The audit records that."""
THREAD_EXPORT = """\
Write the messages of THREAD to FILE, as JSON.

Only its owner can read the file. The audit records that."""
THREAD_DELETE = """\
Delete all that is stored of THREAD, also while the bot runs.

What was posted on the platform stays, and the bot no longer answers there."""
RECEIPT = """\
Print what the answer of TURN was made from and what it cost.

TURN is the key of a turn, as the log has it (turn=KEY); for a thread, such as
slack:T0123ABC:C0123ABC:1795400060.000000, its latest turns are listed."""
BACKUP = """\
Write a copy of the database to FILE, also while the bot runs.

FILE must not exist yet. Only its owner can read it."""
MOVE = """\
Move everything from one database to another: a SQLite file and a PostgreSQL database.

FROM and TO are a file and an address that begins with postgresql://, in either order.
TO must be empty. No process may run meanwhile; an interrupted move continues when it is
run again. FROM is not changed."""
FORGET = """\
Delete all that PERSON wrote, such as slack:T0123ABC:U0123ABC.

This deletes their messages, drafts, tickets and name, also while the bot runs. Answers
stay, and so do the ids in the audit and in records of costs."""
MCP = """\
Print the tools that MCP servers list, and which of them are pinned.

Claude is given the first list of a server; later changes of the list apply once they
are accepted."""
SETUP = "Ask for the tokens, try each, and write them to .env."

# Settings.
SETTINGS = "Move settings made in the chat from one place to another."
SETTINGS_LIST = "Print what is set in the chat, and where."
SETTINGS_HISTORY = "Print changes of settings, with the lines that changed."
SETTINGS_EXPORT = "Write all settings as YAML to FILE, or print them."
SETTINGS_IMPORT = """\
Apply the settings in FILE, all of them or none.

FILE may be - for standard input."""

# Tokens of the API.
TOKEN = "Create, list and revoke tokens for the web API."
TOKEN_CREATE = """\
Create a token, print it once, and store its hash.

NAME is who asks with it: settings, limits and budgets apply to that name as to a
person. Several tokens may have one name, so that one can replace another."""
TOKEN_LIST = "List all tokens, without their text."
TOKEN_REVOKE = """\
Revoke a token, also while the bot runs.

WHICH is the id of one, or the name of all that are to go."""

# Workspaces that install the app, and the keys of their tokens.
WORKSPACES = "List the workspaces that installed the app, and remove one."
WORKSPACES_LIST = (
    "List all, also those that removed the app, with when they are deleted."
)
WORKSPACES_REMOVE = """\
Remove the app from a workspace, also while the bot runs.

WHICH is an id that the list shows, such as slack:T0123ABC. What is stored stays for
THREADKEEP_PURGE_AFTER days, in case the app is installed there again."""
KEYS = "Make and rotate the keys that encrypt tokens of workspaces."
KEYS_NEW = "Print a new key for THREADKEEP_KEYS. Nothing is stored."
KEYS_ROTATE = """\
Encrypt all tokens with the newest key, also while the bot runs.

Put the new key in front of the others in THREADKEEP_KEYS and restart first; after this,
the others can be removed."""

# Triage.
TRIAGE = """\
Sort support tickets, by the thousand.

`threadkeep triage tickets.csv -o sorted.csv` sorts a file, with the options that
`threadkeep triage run --help` lists; other words are the commands below."""
TRIAGE_RUN = """\
Sort the tickets in FILE.

It is CSV, JSON Lines or JSON; - is standard input."""
TRIAGE_RESUME = """\
Resume a run, and write its results.

Its batches are collected, and the remaining rows are asked about."""
TRIAGE_LIST = "List all runs, finished ones included."
TRIAGE_CANCEL = """\
Cancel the batches of a run.

`resume` still collects what they have answered."""
TRIAGE_EVAL = """\
Evaluate the classification of labelled tickets.

FILE has a column with labels for each field to evaluate, named after the field."""
TRIAGE_CORRECTIONS = """\
Export corrections from the chat as labelled tickets.

The output is CSV for `eval`."""
