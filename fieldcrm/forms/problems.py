"""What is wrong with an answer, as a code and where; sentences are made by the user interface."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"  # cannot be submitted
    WARNING = "warning"  # can; but look again


@dataclass(frozen=True, slots=True)
class Problem:
    """``path`` is the answer's, with row keys; ``message`` is the form's own sentence, when it has one."""

    path: str
    code: str  # required, constraint, not_integer, not_decimal, not_date, not_a_choice, too_long, warn
    message: str = ""
    severity: Severity = Severity.ERROR
