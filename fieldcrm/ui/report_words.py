"""What reports and figures are called, and the sentences made of their codes, in the language of the person."""

from __future__ import annotations

from fieldcrm.domain.metrics import Excluded, Figure, Universe
from fieldcrm.domain.review import Decision, Remark
from fieldcrm.domain.submission import ReportState, Shelf
from fieldcrm.words import distance, money, number, percent, tr, trc, trn


def figure_name(code: str) -> str:
    names = {
        "call_completion": tr("Planned visits done"),
        "coverage": tr("Stores visited"),
        "out_of_stock": tr("Out of stock"),
        "on_shelf_availability": tr("On-shelf availability"),
        "share_of_shelf": tr("Share of shelf"),
        "must_stock_lines": tr("Must-stock list"),
        "must_stock_full": tr("Stores with the whole list"),
        "price_alerts": tr("Price alerts"),
        "distribution_held": tr("Numeric distribution"),
        "distribution_present": tr("On the shelf"),
        "perfect_store": tr("Store score"),
    }
    return names.get(code, code)


def photos_away(count: int, person: str) -> str:
    """Whose device still holds photos: the first name is enough beside the report."""
    name = person.split()[0] if person.split() else tr("another person")
    return trn("{n} photo still on {person}’s device", "{n} photos still on {person}’s device", count, person=name)


def figure_base(code: str) -> str:
    """What a figure is measured on, and the choice made where the trade has several."""
    bases = {
        "call_completion": tr("Planned visits that took place, of all planned up to today."),
        "coverage": tr("Distinct stores visited, of the stores active in the sector today."),
        "out_of_stock": tr("Our listed lines missing at the last count, of those counted (present or out of stock)."),
        "share_of_shelf": tr("Our facings, of all facings counted in the same stores."),
        "must_stock_lines": tr("Must-stock products on the shelf, of those due and counted."),
        "must_stock_full": tr("Stores with every must-stock product on the shelf, of those where all were counted."),
        "price_alerts": tr("Prices further from their reference than the tolerance, of the prices read."),
        "distribution_held": tr("Stores that hold the product (present or out of stock), of the stores seen."),
    }
    return bases.get(code, "")


def share(value: float | None) -> str:
    """A share as it stands large on a tile; a dash when nothing was seen."""
    if value is None:
        return "–"
    return percent(value, 1 if 0 < value < 0.1 else 0)


def seen(figure: Figure) -> str:
    """``143 of 180 stores seen``, or what the figure is of when all is known."""
    part, whole = round(figure.part), round(figure.whole)
    if figure.code == "call_completion":
        return trn("{part} of {n} planned visit", "{part} of {n} planned visits", whole, part=number(part))
    if figure.code == "coverage":
        return trn("{part} of {n} store", "{part} of {n} stores", whole, part=number(part))
    return trn("{seen} of {n} store seen", "{seen} of {n} stores seen", figure.population, seen=number(figure.seen))


def sure(figure: Figure) -> str:
    """How sure a figure is: ``real value probably 58 to 66 %``; empty when everything is known."""
    if figure.value is None:
        return tr("nothing counted in this period")
    if figure.interval is None:
        return ""
    low, high = round(figure.interval.low * 100), round(figure.interval.high * 100)
    if figure.complete or low == high:
        return tr("every store seen") if figure.complete else tr("real value close to it")
    return tr("real value probably {low} to {high}", low=number(low), high=percent(figure.interval.high))


def detail(figure: Figure) -> str:
    """The counts below the sentence: ``37 of 590 lines``, the age of what was seen."""
    parts = [counts(figure)] if counts(figure) else []
    if figure.age_days is not None and figure.value is not None:
        parts.append(age(figure.age_days))
    return " · ".join(parts)


def counts(figure: Figure) -> str:
    part, whole = number(round(figure.part)), round(figure.whole)
    if figure.value is None:
        return ""
    if figure.universe is Universe.LISTED_LINES:
        return trn("{part} of {n} line", "{part} of {n} lines", whole, part=part)
    if figure.universe is Universe.FACINGS:
        return trn("{part} of {n} facing", "{part} of {n} facings", whole, part=part)
    if figure.universe is Universe.PRICES:
        return trn("{part} of {n} price", "{part} of {n} prices", whole, part=part)
    return ""


def age(days: float) -> str:
    whole = round(days)
    if whole < 1:
        return tr("counted today")
    return trn("counted {n} day ago (median)", "counted {n} days ago (median)", whole)


def in_words(figure: Figure) -> str:
    """The whole of a figure in a sentence, for screen readers and tool tips."""
    parts = [part for part in (seen(figure), sure(figure), detail(figure)) if part]
    return f"{share(figure.value)} — {', '.join(parts)}. {figure_base(figure.code)}"


def left_out(excluded: Excluded) -> str:
    """``2 reports left out: returned``; empty when none is."""
    if not excluded.returned:
        return ""
    return trn("{n} report left out: returned", "{n} reports left out: returned", excluded.returned)


def state(value: ReportState) -> tuple[str, str]:
    """The word and the tone of a report's state."""
    return {
        ReportState.SUBMITTED: (tr("To review"), "accent"),
        ReportState.CORRECTED: (tr("Corrected"), "accent"),
        ReportState.RETURNED: (tr("Returned"), "warning"),
        ReportState.APPROVED: (tr("Approved"), "success"),
        ReportState.SUPERSEDED: (tr("Replaced"), "neutral"),
    }[value]


def decision(value: Decision) -> tuple[str, str, str]:
    """What was done, its tone and its icon."""
    return {
        Decision.APPROVED: (tr("Approved"), "success", "circle-check"),
        Decision.RETURNED: (tr("Returned"), "warning", "undo-2"),
        Decision.REOPENED: (tr("Decision taken back"), "neutral", "rotate-ccw"),
    }[value]


def shelf(value: str) -> tuple[str, str]:
    """The word and the tone of a line's state."""
    return {
        Shelf.PRESENT.value: (trc("shelf", "Present"), "success"),
        Shelf.OOS.value: (trc("shelf", "Out of stock"), "danger"),
        Shelf.ABSENT.value: (trc("shelf", "Absent"), "neutral"),
    }.get(value, (value, "neutral"))


def store_state(value: str) -> tuple[str, str]:
    """The word and the tone of a store behind a figure."""
    words = {
        "unseen": (tr("Not seen"), "neutral"),
        "counted": (tr("Counted"), "accent"),
        "visited": (tr("Visited"), "success"),
        "done": (tr("Done"), "success"),
        "planned": (tr("Not done"), "warning"),
        "skipped": (tr("Skipped"), "warning"),
        "price": (tr("Price alert"), "warning"),
    }
    return words.get(value) or shelf(value)


def remark(found: Remark) -> tuple[str, str]:
    """A remark as a short title and a sentence with its figures: a question, not an accusation."""
    p = found.params
    if found.code == "short":
        text = trn("The visit lasted {n} minute.", "The visit lasted {n} minutes.", int(p["minutes"]))
        if p.get("usual"):
            text += " " + tr("It usually takes {usual} here.", usual=f"{p['usual']}\u00a0min")
        return tr("Short visit"), text
    if found.code == "far":
        return tr("Far from the store"), tr(
            "The position of the visit is {distance} away from the store on the map.",
            distance=distance(int(p["distance_m"])))
    if found.code == "photo_missing":
        return tr("Photo missing"), tr("{got} received, {due} expected.", got=number(p["got"]), due=number(p["due"]))
    if found.code == "photo_reused":
        return tr("Photo seen before"), tr("The same photo is in a report on {place}.", place=p["place"])
    if found.code == "price_far":
        text = tr("{product}: {seen}, reference {reference}.", product=p["product"], seen=money(p["seen_minor"]),
                  reference=money(p["reference_minor"]))
        return tr("Price far off"), _more(text, p)
    if found.code == "facings_jump":
        text = tr("{product}: {before} facings last time, {now} now.", product=p["product"],
                  before=number(p["before"]), now=number(p["now"]))
        return tr("Facings jump"), _more(text, p)
    if found.code == "all_confirmed":
        return tr("All as last time"), trn(
            "The only line was confirmed as last time.", "All {n} lines were confirmed as last time.", int(p["lines"]))
    return found.code, ""


def _more(text: str, params: dict[str, int]) -> str:
    others = int(params.get("count", 1)) - 1
    return text if others < 1 else text + " " + trn("And {n} other.", "And {n} others.", others)


def skip_reason(code: str | None) -> str:
    """Why a planned store was left out; an organisation's own words stay as they are."""
    if not code:
        return tr("not visited")
    reasons = {
        "closed": tr("closed"),
        "no_time": tr("no time left"),
        "nobody": tr("nobody to see"),
        "contact_absent": tr("the contact was away"),
        "refused": tr("visit refused"),
        "road": tr("road closed or too far"),
        "merged": tr("the same store is on the round twice"),
        "other": tr("another reason"),
    }
    return reasons.get(code, code)
