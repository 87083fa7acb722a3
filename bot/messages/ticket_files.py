"""Messages about files of tickets: their format, how they are read, and problems.

Findings and reasons are clauses.
"""

STANDARD_INPUT = "standard input"

# Files that are not a table of tickets, and what to do.
A_ZIP_ARCHIVE = "a ZIP archive"
AN_EMPTY_ZIP_ARCHIVE = "an empty ZIP archive"
AN_OLD_OFFICE_FILE = "an old Excel or Office file"
A_GZIP_FILE = "a gzip file"
A_BZIP2_FILE = "a bzip2 file"
AN_XZ_FILE = "an xz file"
A_ZSTANDARD_FILE = "a Zstandard file"
A_7_ZIP_ARCHIVE = "a 7-Zip archive"
A_RAR_ARCHIVE = "a RAR archive"
A_PDF = "a PDF"
AN_RTF_DOCUMENT = "an RTF document"
A_SQLITE_DATABASE = "a SQLite database"
A_PARQUET_FILE = "a Parquet file"
AN_AVRO_FILE = "an Avro file"
AN_ARROW_FILE = "an Arrow file"
A_PNG_PICTURE = "a picture (PNG)"
A_JPEG_PICTURE = "a picture (JPEG)"
A_GIF_PICTURE = "a picture (GIF)"
A_MEDIA_FILE = "a media file"
A_PROGRAM = "a program"
AN_ARCHIVE = "an archive"
A_GIT_LFS_POINTER = "a pointer of Git LFS"
AN_EXCEL_WORKBOOK = "an Excel workbook"
A_WORD_DOCUMENT = "a Word document"
A_POWERPOINT_FILE = "a PowerPoint file"
AN_OPENDOCUMENT_SPREADSHEET = "an OpenDocument spreadsheet"
A_NUMBERS_OR_PAGES_FILE = "a Numbers or Pages file"
AN_HTML_PAGE = "an HTML page"
XML = "XML"
EMAIL = "e-mail"
SQL = "SQL"
A_LOG = "a log"
A_DRAWN_TABLE = "a table in Markdown or drawn with characters"
AN_API_ERROR = "the error of an API"
A_BINARY_FILE = "a binary file"

SAVE_AS_CSV = "save the sheet as CSV (UTF-8) and triage that"
UNPACK = "unpack it first"
GUNZIP = "run `gunzip` on it first"
BUNZIP2 = "run `bunzip2` on it first"
UNXZ = "run `unxz` on it first"
UNZSTD = "run `unzstd` on it first"
GIT_LFS_PULL = "run `git lfs pull` first"
EXPORT_AS_CSV = "export the tickets as CSV"
EXPORT_AS_CSV_OR_JSON_LINES = "export the tickets as CSV or JSON Lines"
EXPORT_MESSAGES = "export the messages as CSV or JSON Lines"
EXPORT_TABLE = "export the table as CSV"
CONVERT_TO_CSV_OR_JSON_LINES = "convert it to CSV or JSON Lines"
CONVERT_TO_JSON_LINES = "convert it to JSON Lines"
CHOOSE_TICKETS = "choose the file with the tickets"
CHOOSE_TABLE = "choose a table of tickets, or pass --no-header if each line is a ticket"


def not_tickets(*, file: str, what: str, advice: str) -> str:
    return f"{file} is {what}, not a table of tickets: {advice}."


# Files that cannot be read.
def unreadable(*, file: str, reason: object) -> str:
    return f"{file} cannot be read: {reason}."


def unreadable_content(*, file: str, sentence: str) -> str:
    return f"{file} cannot be read. {sentence}"


def empty(*, file: str) -> str:
    return f"{file} is empty."


def no_rows(*, file: str) -> str:
    return f"{file} has no rows below its header row."


def mostly_unreadable(
    *, file: str, count: int, rows: int, format: str, line: int
) -> str:
    return (
        f"{file} cannot be read: {count:,} of its {rows:,} rows are not valid "
        f"{format}, the first in line {line:,}."
    )


def unknown_encoding(*, encoding: str) -> str:
    return (
        f"There is no encoding {encoding}: try utf-8, cp1252, cp1251, shift_jis, "
        "gb18030, big5, euc_kr or mac_roman."
    )


def not_in_encoding(*, encoding: str) -> str:
    return (
        f"The file is no text in {encoding}: leave out --encoding, or name another, "
        "such as utf-16-le."
    )


def line_too_long(*, line: int, most: int) -> str:
    return (
        f"Line {line:,} is longer than {most:,} characters: this is not a table of "
        "tickets."
    )


def header_row_below(*, file: str, first: str) -> str:
    return (
        f"The first line of {file} is “{first}”, and the header row is below it: "
        "remove what is above the header row."
    )


def no_header_row(*, file: str, first: str) -> str:
    return (
        f"The first line of {file} is “{first}”, which is not a header row: put one "
        "above it, such as text; or pass --no-header if each line is a ticket."
    )


# JSON.
def empty_json_list(*, file: str) -> str:
    return f"{file} is an empty JSON list."


def list_without_objects(*, file: str) -> str:
    return (
        f"{file} is a JSON list, but its items are not objects: write each ticket as "
        '{"ticket": "…"}.'
    )


def several_lists(*, file: str, lists: str) -> str:
    return (
        f"{file} is a JSON object with several lists ({lists}): write the one with the "
        "tickets to a file of its own."
    )


def no_json_tickets(*, file: str) -> str:
    return f"{file} has no tickets: nothing in it is a JSON object with keys."


def too_many_keys(*, most: int) -> str:
    return f"It has more than {most:,} different keys."


def line_nests_too_deep(*, line: int) -> str:
    return f"Line {line:,} nests too deep."


def not_json_from(*, line: int) -> str:
    return f"It is not valid JSON from line {line:,} on."


# Errors in a row.
NOT_AN_OBJECT = "it is not a JSON object"
NESTS_TOO_DEEP = "it nests too deep"
NOT_JSON = "it is not valid JSON"


def quote_not_closed(*, line: int) -> str:
    return f"the quote that opens in line {line:,} is never closed"


def quote_escaped(*, line: int) -> str:
    return f"a backslash escapes a quote in line {line:,}"


def quote_closed(*, line: int, rest: str) -> str:
    return (
        f"the quote that opens in line {line:,} is closed before more text (“{rest}”)"
    )


def quote_closed_below(*, line: int, end: int, rest: str) -> str:
    return (
        f"the quote that opens in line {line:,} is closed in line {end:,} before more "
        f"text (“{rest}”)"
    )


def row_in_quote(*, line: int, row: int) -> str:
    return (
        f"a quote that opens in line {line:,} or below takes in line {row:,}, which "
        "looks like a row of its own"
    )


def too_many_fields(*, row: int, fields: int, columns: int, line: int) -> str:
    return (
        f"row {row:,} has {fields} fields and the header row has {columns} (line "
        f"{line:,}), so a quote or a separator may be missing"
    )


def unreadable_row(*, reason: str, line: int, problem: str) -> str:
    return f"{reason}: line {line:,}, {problem}"


FORCE_ROWS = "Correct the file; --force marks such rows and reads the others."
FORCE_QUOTES = "Correct the file; --force reads the quotes as well as it can."


def wrong_row(*, file: str, problem: str, advice: str) -> str:
    return f"{file}: {problem}. {advice}"


# Columns: the kinds of their values, and why a column was chosen.
NOTHING = "empty"
TEXT = "text"
SINGLE_WORDS = "single words"
A_FEW_VALUES = "a few values"
NUMBERS = "numbers"
DATES = "dates"
PHONE_NUMBERS = "phone numbers"
EMAIL_ADDRESSES = "e-mail addresses"
WEB_ADDRESSES = "web addresses"
IDS = "ids"
BOOLEANS = "booleans"
LISTS_AND_OBJECTS = "lists and objects"

BY_NAMES = "their names say so"
ONLY_TEXT = "it is the only one that holds text"
ONLY_COLUMN = "it is the only one"
AS_COLUMN_SAYS = "as --column says"
AS_YOU_CHOSE = "as you chose"


def by_name_and_values(*, values: str) -> str:
    return f"its name says so, and it holds {values}"


def by_name(*, values: str) -> str:
    return f"its name says so; it holds {values}"


def column_and_values(*, column: str, values: str) -> str:
    return f"`{column}` ({values})"


def which_column(*, file: str, columns: str, more: str) -> str:
    return (
        f"Say with --column which column of {file} holds the ticket: {columns}{more}."
    )


def or_more(*, count: int) -> str:
    return f", or one of {count:,} more"


def no_column(*, file: str, column: str, columns: str, more: str) -> str:
    return f"{file} has no column `{column}`; it has {columns}{more}."


def and_more(*, count: int) -> str:
    return f" and {count:,} more"


def column_number(*, number: int) -> str:
    return f"column {number}"


# How the encoding was detected.
AS_ENCODING_SAYS = "as --encoding says"
BY_BYTE_ORDER_MARK = "by its byte order mark"
BY_NUL_BYTES = "by its NUL bytes"
ALL_VALID = "all of it is valid"
GUESSED = "guessed from its text"


def all_but(*, count: int) -> str:
    return f"all but {count:,} of its bytes are valid"


# Places.
def line(*, number: str) -> str:
    return f"line {number}"


def lines(*, numbers: str) -> str:
    return f"lines {numbers}"


def lines_and_others(*, numbers: str) -> str:
    return f"lines {numbers} and others"


# The question for the column with the ticket.
WHICH_COLUMN = "Which column holds the ticket?"
NUMBER_OR_NAME = "Number or name, several with a comma; Enter stops: "
NO_COLUMN_CHOSEN = "No column was chosen, and nothing was sent."

# How a file is read.
FILE, ENCODING, ROWS, TICKET, ID = "File", "Encoding", "Rows", "Ticket", "Id"
ROWS_NUMBERED = "none: rows are numbered"
WITHOUT_HEADER_ROW = ", without a header row"
BACKSLASHES = ", quotes escaped by a backslash"
COMMA, SEMICOLON, TAB, VERTICAL_BAR = "comma", "semicolon", "tab", "vertical bar"
CARET, TILDE, UNIT_SEPARATOR = "caret", "tilde", "unit separator"
NO_SEPARATOR = "none"


def csv(*, separator: str, header: str, quotes: str) -> str:
    return f"CSV, separator: {separator}{header}{quotes}"


def fact(*, value: str, why: str) -> str:
    return f"{value} ({why})"


def file_format(*, file: str, format: str) -> str:
    return f"{file}: {format}"


def blank_rows(*, rows: str) -> str:
    return f"{rows} without any value left out"


def empty_tickets(*, count: int) -> str:
    return f"{count:,} with an empty ticket not sent"


def unreadable_tickets(*, count: int) -> str:
    return f"{count:,} unreadable not sent"


# Possible misreadings.
def warning(*, text: str) -> str:
    return f"Warning: {text}"


def encoding_guessed(*, encoding: str, words: str) -> str:
    return (
        f"the encoding is a guess ({encoding}{words}). If that is wrong, pass "
        "--encoding, or save the file as UTF-8."
    )


def so_that_it_says(*, words: str) -> str:
    return f", so that it says {words}"


def bytes_replaced(*, count: str, encoding: str, places: object) -> str:
    return f"{count} not valid in {encoding} became � ({places})."


def nul_bytes_replaced(*, count: str, places: object) -> str:
    return f"{count} became � ({places})."


def rows_unreadable(*, places: object) -> str:
    return f"{places} cannot be read: marked in the output."


def header_row_repeated(*, places: object) -> str:
    return f"the header row is repeated ({places}), and left out there."


def key_repeated(*, key: str, places: object) -> str:
    return f"`{key}` appears twice in one object ({places}); the last value counts."


# Help for options.
ENCODING_HELP = "The encoding of FILE."
NO_HEADER_HELP = "FILE has no header row."
FORCE_HELP = "Read a file as well as possible though parts may be misread."
DRY_RUN_HELP = "Show how FILE is read, send nothing and exit."
