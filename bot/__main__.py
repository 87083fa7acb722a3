"""`python -m bot`, and the console script `threadkeep`."""

from bot.cli.main import main

if __name__ == "__main__":
    main(prog_name="threadkeep")
