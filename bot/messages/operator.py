"""Messages to the operator's admins about problems that only the operator can fix."""


def needs_you(*, problem: str) -> str:
    return f"**Only the operator of this bot can correct this:** {problem}"


def disk_low(*, free: str, folder: object) -> str:
    return (
        f"only {free} are left on the disk of the database ({folder}): free some "
        "space, or nothing more can be stored."
    )


def scopes_missing(*, scopes: str) -> str:
    return (
        f"the Slack app lacks {scopes}: add it under OAuth & Permissions on the app's "
        "page, and reinstall the app."
    )


def scopes_missing_in(*, scopes: str, place: str) -> str:
    return (
        f"the Slack app lacks {scopes} in {place}: add it under OAuth & Permissions on "
        "the app's page, and have the app installed there again."
    )


def permissions_missing(*, servers: str, address: str) -> str:
    return (
        f"the bot lacks permissions on Discord, so it cannot answer there: {servers}. "
        f"Give them to its role, or add it again with {address}"
    )


def server_lacks(*, server: str, permissions: str) -> str:
    return f"{permissions} in {server}"


def platform_lost(*, platform: str, problem: object) -> str:
    return f"the bot no longer answers on {platform}. {problem}"
