"""Messages about remote MCP servers: the operator's file, the setting, and answers."""

from bot.messages import plurals

# The operator's file. Each sentence names the file, and quotes a value only if it is
# not a secret.
NO_SERVERS = 'it must begin with "servers:", with a server below it for each name'
NOT_A_MAPPING = "it must have label, url, tools and places"
NAME_IT = (
    'a name begins with a small letter and has at most 32 of these: a-z, 0-9, _; "off"'
    " is not one"
)
LABEL = "label must have at most 40 letters, digits, spaces and & ' ( ) + . -"
URL = "url must be an address that begins with https://"
URL_PARTS = (
    "url must have no user, query, fragment or key: a token belongs in the environment"
)
TOOLS = "tools must list the names of 1 to 50 tools that only read; all others stay off"
PLACES = (
    "places must list workspaces and servers (slack:T0123ABC, discord:1234567890) or "
    "channels in them (slack:T0123ABC/C0456DEF)"
)


def too_large(*, most: int) -> str:
    return f"it has more than {most:,} characters"


def too_many(*, most: int) -> str:
    return f"it has more than {most} servers"


def not_yaml(*, where: str, why: str) -> str:
    return f"it is not valid YAML{where}: {why}"


def unknown_key(*, key: str, known: str) -> str:
    return f"{key} is not one of {known}"


def private_host(*, problem: str) -> str:
    return f"url: {problem}"


def of_file(*, file: object, problem: str) -> str:
    return f"{file}: {problem}."


def of_server(*, file: object, server: str, problem: str) -> str:
    return f"{file}, {server}: {problem}."


def bad_token(*, variable: str) -> str:
    return f"{variable} has a space or another character that no token has."


def not_offered(*, names: str) -> str:
    return f"The operator offers no server {names}."


# Requesting the tools of a server: clauses for the operator.
NOT_USABLE = "the API cannot use it: check its address, its token and whether it runs"
NOTHING_LISTED = "the API did not say what tools it has"
NO_TOOL_LISTED = "it has none of the tools that the file names"
NO_MONEY = "the operator's budget leaves no room to ask it"


NOT_IN_TIME = "it did not answer in time"
NO_ANSWER = "the API did not answer: check the key and the model"

# `threadkeep check` and `threadkeep mcp`: clauses.
ACCEPTED = "NAME"
ACCEPT_HELP = "Pin what the server NAME lists now, for threads that begin from now on."
NO_FILE = "There is no file of MCP servers: see docs/mcp.md."
NO_KEY = "Only Claude's API can ask MCP servers: set ANTHROPIC_API_KEY."
TOKEN_SET = "its token is set (not tried)"
NOT_PINNED = "nothing pinned yet"


def unknown_server(*, names: str) -> str:
    return f"There is no such server in the file; it has {names}."


def server_finding(*, name: str, url: str, about: str) -> str:
    return f"{name} at {url}: {about}"


def check_tools(*, count: int) -> str:
    return plurals.TOOLS(count)


def without_token(*, variable: str) -> str:
    return f"asked without a token ({variable} is not set)"


def pinned(*, day: object) -> str:
    return f"as pinned on {day}"


def changed(*, tools: str, name: str) -> str:
    return (
        f"it now defines {tools} differently, which changes nothing until you accept "
        f"it (`threadkeep mcp --accept {name}`)"
    )


def lacking(*, tools: str) -> str:
    return f"it has no tool {tools}"


def not_listed(*, server: str, why: str) -> str:
    return f"The tools of the MCP server {server} are not known: {why}."


def lacks(*, server: str, tools: str) -> str:
    return f"The MCP server {server} has no tool {tools}: correct its list in the file."


def failed(*, servers: str) -> str:
    return (
        f"An answer was written without the MCP server {servers}, which failed: check "
        "its address and its token (`threadkeep check`)."
    )


# The setting.
def no_such_server(*, written: str, names: str) -> str:
    return f"There is no server {written} here. The operator offers {names}."


def not_a_list(*, written: str) -> str:
    return f"This must be names of servers, or off, not {written}."


NOTHING_OFFERED = "The operator offers no MCP servers here."


# Answers.
def asked(*, server: str, tools: str) -> str:
    return f"Asked {server}: {tools}."


def several(*, tool: str, count: int) -> str:
    return f"{tool} ×{count}"


def call_failed(*, server: str, tools: str) -> str:
    return f"{server} answered with an error: {tools}."


def server_left_out(*, servers: str) -> str:
    return f"I answered without {servers}, which could not be used."


def server_not_ready(*, servers: str) -> str:
    return f"I answered without {servers}: I could not learn which tools they have."


OR, AND = " or ", " and "
