"""The sentence for a problem of an answer: the form's own when it has one."""

from __future__ import annotations

from fieldcrm.forms.problems import Problem
from fieldcrm.words import tr


def problem_words(problem: Problem) -> str:
    if problem.message:
        return " ".join(problem.message.split())
    words = {
        "required": tr("This is needed before the report can be sent."),
        "constraint": tr("This value is not allowed here."),
        "not_integer": tr("A whole number is expected, such as 4."),
        "not_decimal": tr("A number is expected, such as 3.49."),
        "not_date": tr("A day is expected, such as 24/06/2026."),
        "not_time": tr("A time is expected, such as 10:30."),
        "not_a_choice": tr("This choice is no longer offered."),
        "too_long": tr("This text is too long."),
        "warn": tr("This looks unusual: check it once more."),
    }
    return words.get(problem.code, problem.code)
