"""Messages to the operator's admins about what only the operator can correct."""


def needs_you(*, problem: str) -> str:
    return f"**Only the operator of this bot can correct this:** {problem}"


def disk_low(*, free: str, folder: object) -> str:
    return (
        f"only {free} are free where the database is ({folder}): make room, or nothing "
        "can be stored any more."
    )


def platform_lost(*, platform: str, problem: object) -> str:
    return f"the bot no longer answers on {platform}. {problem}"
