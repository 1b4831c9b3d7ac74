"""The sentences of the plan: why a store is due, why it was left out, what a change costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from fieldcrm import words
from fieldcrm.words import tr, trn

SHOWN = 3


def clock(minutes: int | None) -> str:
    """Minutes after midnight as ``09:40``; past midnight it goes on from 00:00."""
    return "" if minutes is None else f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def reason(code: str, params: Mapping[str, Any]) -> str:
    """One reason for a visit, short enough to stand beside others."""
    late = int(params.get("late_days") or 0)
    if code == "not_seen_days":
        return trn("not seen for {n} day", "not seen for {n} days", int(params.get("days") or 0))
    if code == "due_soon":
        return trn("due in {n} day", "due in {n} days", int(params.get("days") or 0))
    if code == "promise_due":
        return trn("promise {n} day late", "promise {n} days late", late) if late else tr("promise due")
    if code == "task_due":
        return trn("task {n} day late", "task {n} days late", late) if late else tr("task due")
    if code == "missing_codes":
        return trn("{n} code missing", "{n} codes missing", int(params.get("n") or 0))
    if code == "out_of_stock_again":
        return tr("{product} out of stock again", product=params.get("product") or "")
    plain = {
        "returned_report": tr("report to correct"),
        "promise_soon": tr("promise due soon"),
        "task_soon": tr("task due soon"),
        "never_visited": tr("never visited"),
    }
    return plain.get(code, code.replace("_", " "))


def reasons(found: Iterable[Mapping[str, Any]], shown: int = SHOWN) -> str:
    """The weightiest reasons in one line, the first with a capital."""
    said = [reason(str(one.get("code", "")), one.get("params") or {}) for one in found][:shown]
    line = " · ".join(said)
    return line[:1].upper() + line[1:]


def left_out(code: str, params: Mapping[str, Any]) -> str:
    """Why a store is not in the plan."""
    minutes = int(params.get("minutes") or 0)
    if code == "would_add":
        over = int(params.get("over") or 0)
        if over:
            return tr("Would add {minutes}; home at {time}", minutes=words.duration(minutes),
                      time=clock(params.get("home_at")))
        return tr("Would make another store closed on arrival")
    if code == "day_full":
        return tr("The day is full; would add {minutes}", minutes=words.duration(minutes))
    if code == "not_due":
        until = params.get("until")
        return tr("Not due before {day}", day=words.date(date.fromisoformat(until), "d")) if until else tr("Not due")
    if code == "closed_then":
        return tr("Open from {opens} to {closes} only, when the round is elsewhere",
                  opens=clock(params.get("opens")), closes=clock(params.get("closes")))
    plain = {"closed_today": tr("Closed today"), "no_position": tr("No place on the map yet")}
    return plain.get(code, code.replace("_", " "))


def minutes_more(minutes: int) -> str:
    """The price of a change: ``+6 min``, ``−4 min``, ``±0 min``."""
    sign = "+" if minutes > 0 else "\u2212" if minutes < 0 else "±"
    return f"{sign}{words.duration(abs(minutes))}"
