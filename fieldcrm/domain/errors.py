"""Errors are a code and parameters here; the user interface makes the sentence.

``DomainError``: what a person did cannot be done, and says why, at the field where it can be said.
``Unavailable``: the surroundings (network, disk, another program) are to blame; try again.
Anything else that escapes is a bug.
"""

from __future__ import annotations

from typing import Any


class CodedError(Exception):
    """An error with a stable ``code`` and JSON-able ``params`` for the sentence."""

    def __init__(self, code: str, /, *, field: str | None = None, **params: Any) -> None:
        super().__init__(code, params)
        self.code = code
        self.field = field
        self.params = params

    def __str__(self) -> str:
        details = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        return f"{self.code}({details})"


class DomainError(CodedError):
    """Refused: the input, or the state of the data, does not allow it. Nothing was changed."""


class Unavailable(CodedError):
    """Not now: offline, busy, disk full, no permission of the system. Nothing was lost."""
