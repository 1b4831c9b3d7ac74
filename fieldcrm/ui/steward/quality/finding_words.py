"""The kinds of findings in words: their names, what each means, and what a line says."""

from __future__ import annotations

from datetime import datetime

from fieldcrm.ui import labels
from fieldcrm.usecases import outlet_quality as quality
from fieldcrm.usecases.outlet_quality import KINDS, FindingRow, Rules
from fieldcrm.words import listing, number, since, tr

TONES = {3: "danger", 2: "warning", 1: "neutral"}
_ICONS = {
    "position": "map-pin", "phone": "phone", "email": "mail", "website": "link", "siret": "building",
    "postcode": "map-pinned", "city": "map-pinned", "hours": "clock", "value": "circle-alert", "banner": "tag",
    "not": "calendar-clock", "incomplete": "circle-dashed", "spaces": "type", "capitals": "type",
}


def kind_name(code: str) -> str:
    return {
        "position_zero": tr("Position at the zero point"),
        "position_swapped": tr("Latitude and longitude swapped"),
        "position_outside": tr("Position outside the country"),
        "position_far": tr("Position far from its town"),
        "position_shared": tr("Several outlets on one point"),
        "phone_invalid": tr("Phone number that does not exist"),
        "email_invalid": tr("E-mail that cannot be right"),
        "website_invalid": tr("Website that cannot be right"),
        "siret_invalid": tr("SIRET that does not check"),
        "siret_is_siren": tr("SIREN instead of a SIRET"),
        "postcode_invalid": tr("Postcode that does not exist"),
        "postcode_elsewhere": tr("Postcode of another department"),
        "city_spelling": tr("Town probably misspelt"),
        "hours_invalid": tr("Opening hours that cannot be read"),
        "value_impossible": tr("Impossible value"),
        "banner_missing": tr("Banner missing"),
        "not_confirmed": tr("Not confirmed for long"),
        "not_visited": tr("Active without a visit"),
        "incomplete": tr("Incomplete"),
        "spaces": tr("Stray spaces"),
        "capitals": tr("All in capitals"),
        "phone_style": tr("Phone oddly written"),
        "email_style": tr("E-mail oddly written"),
        "website_style": tr("Website oddly written"),
        "siret_style": tr("SIRET with spaces"),
        "postcode_style": tr("Postcode oddly written"),
    }.get(code, code)


def kind_means(code: str, rules: Rules) -> str:
    """One sentence: when an outlet is in this list."""
    days = number(rules.confirm_days)
    return {
        "position_zero": tr("Latitude and longitude are 0: the outlet stands in the Gulf of Guinea."),
        "position_swapped": tr("Swapped, the position lies in the country of the address; as it is, it does not."),
        "position_outside": tr("The position lies outside the country of the address."),
        "position_far": tr("Further from the other outlets of its town than six times their usual spread, and 8 km."),
        "position_shared": tr("Five outlets or more of different streets stand on this very point."),
        "phone_invalid": tr("No such number exists in the country’s numbering plan."),
        "email_invalid": tr("Something is missing or too much in the address."),
        "website_invalid": tr("No browser can open this address."),
        "siret_invalid": tr("Fourteen digits closed by a check digit (Luhn) are needed; La Poste has its own rule."),
        "siret_is_siren": tr("Nine digits name the company: the establishment’s five are missing."),
        "postcode_invalid": tr("The country has no postcode of this shape."),
        "postcode_elsewhere": tr("Nine outlets in ten around this position have a postcode of another department."),
        "city_spelling": tr("Four outlets in five with this postcode write the town in another way."),
        "hours_invalid": tr("The hours do not follow the OpenStreetMap syntax: no plan can take them into account."),
        "value_impossible": tr("A store cannot have this value."),
        "banner_missing": tr("The name begins with a banner that the base knows, and the banner is empty."),
        "not_confirmed": tr("Nobody has confirmed or changed the data for {n} days.", n=days),
        "not_visited": tr("Active, and not visited for {n} days.", n=number(rules.visit_days)),
        "incomplete": tr("Completeness below {n} of 100.", n=number(rules.incomplete_below)),
        "spaces": tr("Spaces at the ends or in a row, or signs that cannot be seen."),
        "capitals": tr("Written in capitals: harder to read, and to find twice."),
        "phone_style": tr("The number exists, and is not written as usual."),
        "email_style": tr("The address is right, with something around it."),
        "website_style": tr("The address is right, with something around it."),
        "siret_style": tr("The number checks, and is written with spaces or points."),
        "postcode_style": tr("The postcode exists, and is written in another way."),
    }.get(code, "")


def icon_of(code: str) -> str:
    return _ICONS.get(code.partition("_")[0], "circle-alert")


def tone_of(code: str) -> str:
    return TONES[KINDS[code].severity]


def field_name(field: str) -> str:
    return labels.field_name(field)


def said(row: FindingRow, rules: Rules, now: datetime) -> str:
    """What the line says below the name: the value, and what it would become."""
    if row.code == "not_confirmed":
        return tr("Confirmed {when}", when=since(row.confirmed_at, now)) if row.confirmed_at else tr("Never confirmed")
    if row.code == "not_visited":
        return tr("Visited {when}", when=since(row.visited_at, now)) if row.visited_at else tr("Never visited")
    if row.code == "incomplete":
        missing = quality.missing_of(row, rules)[:4]
        names = ["SIRET" if name == "siret" else field_name(name).lower() for name in missing]
        return tr("{n} of 100 · missing: {fields}", n=row.completeness, fields=listing(names))
    shown = row.value or tr("nothing")
    after = row.suggestion or tr("nothing")
    if row.code == "banner_missing":
        return tr("{field}: {value}", field=field_name("banner"), value=f"→ {after}")
    change = shown if row.suggestion is None else f"{shown}  →  {after}"
    if row.code in ("spaces", "capitals", "value_impossible"):  # the others are about one field, which their name says
        return tr("{field}: {value}", field=field_name(row.field), value=change)
    return change


def task_title(row: FindingRow) -> str:
    if row.code == "not_confirmed":
        return tr("Confirm the outlet’s data")
    if row.code == "not_visited":
        return tr("Visit the outlet, or say that it has closed")
    if row.code == "incomplete":
        return tr("Complete the outlet’s data")
    if row.field == "position":
        return tr("Check where the outlet stands")
    return tr("Check at the store: {field} ({value})", field=field_name(row.field), value=row.value[:80])
