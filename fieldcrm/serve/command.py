"""What each group of commands is made of: one command is a function from the open server to what it prints."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fieldcrm import __version__
from fieldcrm.server.headquarters import Headquarters

Answer = dict[str, Any]
Command = Callable[[Headquarters, argparse.Namespace], Answer]
Preparation = Callable[[argparse.Namespace], Answer]  # works where no server can be opened yet


def now() -> datetime:
    return datetime.now(UTC)


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """For ``type=``: whatever is outside is wrong usage, named by argparse."""

    def number(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"choose a number from {least} to {most}")
        return value

    return number


class Arguments:
    """The command line as it is put together."""

    def __init__(self) -> None:
        self.parser = argparse.ArgumentParser(prog="fieldcrm-server", description="The server of FieldCRM.")
        self.parser.add_argument("--version", action="version", version=f"FieldCRM server {__version__}")
        self._commands = self.parser.add_subparsers(required=True, metavar="command")
        self._common = argparse.ArgumentParser(add_help=False)
        self._common.add_argument(
            "--data", type=Path, required=True, metavar="DIR", help="folder of the server's data"
        )
        self._common.add_argument(
            "--database",
            metavar="URL",
            help="address of a PostgreSQL database (default: SQLite in DIR); its password belongs in PGPASSFILE",
        )
        self._common.add_argument("--json", action="store_true", help="print JSON")

    def group(self, name: str, help: str) -> Any:
        """Commands of two words: give the answer to ``add`` as ``group``."""
        made = self._commands.add_parser(name, help=help, description=help)
        return made.add_subparsers(required=True, metavar="action")

    def add(
        self, name: str, command: Command, help: str, *, group: Any = None, of_organisation: bool = False
    ) -> argparse.ArgumentParser:
        made = self._made(name, help, group, of_organisation)
        made.set_defaults(command=command, prepare=None)
        return made

    def add_preparation(self, name: str, prepare: Preparation, help: str) -> argparse.ArgumentParser:
        """A command that opens the server itself, or none."""
        made = self._made(name, help, None, False)
        made.set_defaults(command=None, prepare=prepare)
        return made

    def _made(self, name: str, help: str, group: Any, of_organisation: bool) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = (group or self._commands).add_parser(
            name, parents=[self._common], help=help, description=help
        )
        if of_organisation:
            made.add_argument("--organisation", required=True, metavar="CODE")
        return made
