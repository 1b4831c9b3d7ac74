"""The server's log: one JSON object a line, without anybody's name or words.

Only this server's own loggers say more than where they were: a message of a library, and the text of an
exception, may hold what a person wrote.
"""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

_OURS = ("sync", "fieldcrm")


class JsonLines(logging.Formatter):
    """``{"at", "level", "logger", "event", …}``; what a caller gives as ``extra={"said": {…}}`` stands beside."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if record.name.split(".")[0] in _OURS:
            line["event"] = record.getMessage()
            line |= getattr(record, "said", {})
        else:
            line["event"] = f"{record.filename}:{record.lineno}"
        if record.exc_info and record.exc_info[1] is not None:
            line |= where(record.exc_info[1])
        return json.dumps(line, default=str, ensure_ascii=True)


def where(error: BaseException) -> dict[str, str]:
    """The kind of an error and where it happened, without its message."""
    frames = [f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
    return {"failure": type(error).__name__, "frames": " ".join(frames[-8:])}


def log_to(stream: TextIO, level: str) -> None:
    """Write the log of this process to ``stream``; ``level`` by its name."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
