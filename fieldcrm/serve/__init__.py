"""``fieldcrm-server``: the server's command line, and the place where the server is put together.

Runs where Qt is not installed. With ``--json`` each command prints one JSON object; errors go to standard error
as a sentence, or with ``--json`` as ``{"error": code, "params": {…}}``, and the exit code is 1 (2: wrong usage).
``check`` that finds a fault prints it, and ends with 1 too.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from fieldcrm import words
from fieldcrm.domain.errors import CodedError
from fieldcrm.serve import backups, bundles, distribute, imports, people, privacy, quarantine, regions, running
from fieldcrm.serve.command import Answer, Arguments, Command, Preparation, now
from fieldcrm.server.headquarters import open_headquarters
from fieldcrm.ui.sentences import SENTENCES  # texts alone, without Qt
from sync.server.database import Limits

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    os.umask(0o077)  # what is written here is for the server's own account, whatever writes it
    words.set_language(words.system_language())
    options = command_line().parser.parse_args(arguments)
    try:
        answer = _carried_out(options)
    except CodedError as error:
        _complain(error, options.json)
        return 1
    _show(answer, options.json)
    return 0 if answer.get("sound", True) else 1  # whoever runs `check` every night looks at the exit code alone


def command_line() -> Arguments:
    arguments = Arguments()
    for part in (running, distribute, people, imports, regions, privacy, quarantine, backups, bundles):
        part.add_to(arguments)
    return arguments


def _carried_out(options: argparse.Namespace) -> Answer:
    prepare: Preparation | None = options.prepare
    if prepare is not None:
        return prepare(options)
    connections = getattr(options, "connections", None)
    hq = open_headquarters(
        options.data,
        options.database,
        now,
        accept_restore=getattr(options, "accept_restore", False),
        limits=Limits(connections) if connections is not None else None,
    )
    try:
        command: Command = options.command
        return command(hq, options)
    finally:
        hq.close()


def _show(answer: Answer, as_json: bool) -> None:
    if not answer:
        return
    if as_json:
        print(json.dumps(answer, default=str, ensure_ascii=False))
        return
    for name, value in answer.items():
        if isinstance(value, list):
            for item in value:
                print(_pairs(item))
        elif isinstance(value, dict):
            print(f"{name}: {_pairs(value)}")
        else:
            print(f"{name}: {value}")


def _pairs(values: dict[str, Any]) -> str:
    return "  ".join(f"{key}={value}" for key, value in values.items())


def _complain(error: CodedError, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"error": error.code, "params": error.params}, default=str), file=sys.stderr)
        return
    sentence = SENTENCES.get(error.code)
    said = words.tr(sentence, **error.params) if sentence else str(error)
    print(f"{said} ({error.field})" if error.field and error.code == "required" else said, file=sys.stderr)
