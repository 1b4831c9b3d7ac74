"""Makes the ready-made shelf audit: the workbook that anyone may open and change, and the XForm compiled from it.

    python -m fieldcrm.forms.builtin

writes ``resources/forms/shelf_audit.xlsx`` and ``.xml``. A test keeps the two equal to this sheet.
"""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from fieldcrm import resources
from fieldcrm.forms.compile import compile_xlsform
from fieldcrm.forms.load import load_form
from fieldcrm.forms.model import OWN_NAMESPACE, Form

SHELF_AUDIT = "shelf_audit"
_EN, _FR = "English (en)", "Français (fr)"
_FAR = "${reference_price} = '' or (. >= ${reference_price} * 0.7 and . <= ${reference_price} * 1.3)"

_COLUMNS = (
    "type", "name", f"label::{_EN}", f"label::{_FR}", f"hint::{_EN}", f"hint::{_FR}",
    "appearance", "relevant", "required", "constraint", f"constraint_message::{_EN}",
    f"constraint_message::{_FR}", "calculation", "choice_filter",
    "bind::fieldcrm:rows", "bind::fieldcrm:observe", "bind::fieldcrm:column", "bind::fieldcrm:task",
    "bind::fieldcrm:visit", "bind::fieldcrm:photos", "bind::fieldcrm:warn", "bind::fieldcrm:warn-message-en",
    "bind::fieldcrm:warn-message-fr", "bind::fieldcrm:icon",
)

Row = dict[str, str]


def _ask(type_: str, name: str, en: str = "", fr: str = "", /, **more: str) -> Row:
    row = {"type": type_, "name": name}
    if en:
        row |= {f"label::{_EN}": en, f"label::{_FR}": fr}
    for key in ("hint", "constraint_message"):
        if key in more:
            words_en, words_fr = more.pop(key).split(" | ")
            row |= {f"{key}::{_EN}": words_en, f"{key}::{_FR}": words_fr}
    own = {"rows", "observe", "column", "task", "visit", "photos", "warn", "icon"}
    if "warn_message" in more:
        words_en, words_fr = more.pop("warn_message").split(" | ")
        row |= {"bind::fieldcrm:warn-message-en": words_en, "bind::fieldcrm:warn-message-fr": words_fr}
    return row | {f"bind::fieldcrm:{key}" if key in own else key: value for key, value in more.items()}


_LINE: tuple[Row, ...] = (
    _ask("hidden", "product", observe="product_id"),
    _ask("hidden", "reference_price", observe="reference_price"),
    _ask("hidden", "basis", observe="basis"),
    _ask("select_one state", "state", "State", "État", observe="state", column="first"),
    _ask(
        "integer", "facings", "Facings", "Facings", observe="facings", column="first",
        relevant="${state} = 'present'", constraint=". >= 0 and . <= 999",
        constraint_message="Facings go from 0 to 999. | Les facings vont de 0 à 999.",
    ),
    _ask(
        "decimal", "price", "Price", "Prix", observe="price", column="first",
        relevant="${state} = 'present'", constraint=". > 0",
        constraint_message="A price is more than zero. | Un prix est supérieur à zéro.", warn=_FAR,
        warn_message="Far from the reference price: look again. | Loin du prix de référence : à vérifier.",
    ),
    _ask("select_one yes_no", "shelf_tag", "Shelf tag", "Étiquette", column="demand", relevant="${state} != 'absent'"),
    _ask("select_one yes_no", "material", "POS material", "PLV", column="demand", relevant="${state} = 'present'"),
    _ask("select_one promotion", "promotion", "Promotion", "Promotion", column="demand",
         relevant="${state} = 'present'"),
    _ask(
        "date", "expiry", "Best before", "DLC la plus courte", column="demand", relevant="${state} = 'present'",
        warn=". >= today()", warn_message="This date is past. | Cette date est dépassée.",
    ),
    _ask("text", "remark", "Remark", "Remarque", column="demand"),
)

_SURVEY: tuple[Row, ...] = (
    _ask("begin group", "shelf", "Shelf", "Linéaire", icon="package"),
    _ask("begin repeat", "line", "Product", "Produit", rows="assortment"),
    *_LINE,
    _ask("end repeat", ""),
    _ask("end group", ""),
    _ask("begin group", "display", "POS material", "PLV et mise en avant", icon="tag"),
    _ask(
        "select_multiple material", "in_place", "POS material in place", "PLV en place",
        hint="Everything of ours that a shopper can see. | Tout ce qui est à nous et visible du client.",
        constraint="not(selected(., 'none') and count-selected(.) > 1)",
        constraint_message="“None” goes alone. | « Aucune » se coche seule.",
    ),
    _ask("select_one condition", "condition", "Its condition", "Son état",
         relevant="${in_place} != '' and not(selected(${in_place}, 'none'))"),
    _ask("select_one promotion", "off_shelf", "Promotion running today", "Opération en cours"),
    _ask("text", "mechanic", "What the offer says", "Mécanique de l’offre",
         relevant="${off_shelf} = 'national' or ${off_shelf} = 'local'"),
    _ask("integer", "end_caps", "End caps and floor displays of ours", "Têtes de gondole et îlots à nous",
         constraint=". >= 0 and . <= 99", constraint_message="From 0 to 99. | De 0 à 99."),
    _ask("end group", ""),
    _ask("begin group", "photos", "Photos", "Photos", icon="camera"),
    _ask(
        "image", "shelf_photos", "The whole shelf, at least two photos", "Le linéaire entier, au moins deux photos",
        hint="One from the left, one from the right, labels readable. | "
        "Une de gauche, une de droite, étiquettes lisibles.",
        photos="many", required="${no_photo} = ''", constraint="count-selected(.) >= 2 or ${no_photo} != ''",
        constraint_message="Two photos of the shelf are needed, or the reason why not. | "
        "Il faut deux photos du linéaire, ou la raison de leur absence.",
    ),
    _ask("select_one no_photo", "no_photo", "No photo: why", "Pas de photo : pourquoi",
         relevant="count-selected(${shelf_photos}) < 2"),
    _ask("image", "other_photos", "Other photos", "Autres photos", photos="many",
         hint="POS material, back room, a competitor’s display. | PLV, réserve, mise en avant d’un concurrent."),
    _ask("end group", ""),
    _ask("begin group", "next", "Next step", "Suite à donner", icon="flag"),
    _ask("text", "met", "Who was met", "Interlocuteur rencontré",
         hint="Name or job. | Nom ou fonction."),
    _ask("text", "note", "Note of the visit", "Note de visite", appearance="multiline", visit="note"),
    _ask("text", "promise", "Promise of the store", "Engagement du magasin", task="promise:title",
         hint="What the store said it would do. | Ce que le magasin s’est engagé à faire."),
    _ask("text", "promise_by", "Promised by", "Pris par", task="promise:by", relevant="${promise} != ''"),
    _ask("date", "promise_due", "By when", "Pour quand", task="promise:due", relevant="${promise} != ''",
         required="yes", constraint=". >= today()",
         constraint_message="A promise is for today or later. | Un engagement est pour aujourd’hui ou plus tard."),
    _ask("text", "next_step", "My next step", "Ma prochaine action", task="task:title"),
    _ask("date", "next_due", "By when", "Pour quand", task="task:due", relevant="${next_step} != ''",
         constraint=". >= today()",
         constraint_message="A next step is for today or later. | Une action est pour aujourd’hui ou plus tard."),
    _ask("end group", ""),
    _ask("begin group", "summary", "Summary", "Résumé", icon="clipboard-check"),
    _ask("calculate", "checked", calculation="count-non-empty(${state})"),
    _ask("calculate", "present", calculation="count(${line}[state = 'present'])"),
    _ask("calculate", "oos", calculation="count(${line}[state = 'oos'])"),
    _ask("calculate", "absent", calculation="count(${line}[state = 'absent'])"),
    _ask("calculate", "facings_total", calculation="sum(${facings})"),
    _ask("note", "counts",
         "${checked} products checked: ${present} present, ${oos} out of stock, ${absent} absent. "
         "${facings_total} facings.",
         "${checked} produits relevés : ${present} présents, ${oos} en rupture, ${absent} absents. "
         "${facings_total} facings."),
    _ask("end group", ""),
)

_CHOICES: tuple[tuple[str, str, str, str], ...] = (
    ("state", "present", "Present", "Présent"),
    ("state", "oos", "Out of stock", "Rupture"),
    ("state", "absent", "Absent", "Absent"),
    ("yes_no", "yes", "Yes", "Oui"),
    ("yes_no", "no", "No", "Non"),
    ("promotion", "none", "None", "Aucune"),
    ("promotion", "national", "National", "Nationale"),
    ("promotion", "local", "Local", "Locale"),
    ("material", "none", "None", "Aucune"),
    ("material", "wobbler", "Wobbler", "Stop-rayon"),
    ("material", "strip", "Shelf strip", "Réglette"),
    ("material", "poster", "Poster", "Affiche"),
    ("material", "display", "Display", "Présentoir"),
    ("material", "end_cap", "End cap", "Tête de gondole"),
    ("material", "fridge", "Fridge", "Meuble froid"),
    ("condition", "good", "Good", "Bon"),
    ("condition", "worn", "Worn", "Usé"),
    ("condition", "damaged", "Damaged", "Abîmé"),
    ("no_photo", "refused", "Refused by the store", "Refus du magasin"),
    ("no_photo", "no_camera", "No camera at hand", "Pas d’appareil"),
    ("no_photo", "works", "Shelf under work", "Rayon en travaux"),
    ("no_photo", "other", "Other", "Autre"),
)

_SETTINGS = {
    "form_id": SHELF_AUDIT, "form_title": "Shelf audit", "version": "1", "default_language": _EN,
    "namespaces": f'fieldcrm="{OWN_NAMESPACE}"',
}

TITLES = {"en": "Shelf audit", "fr": "Relevé de linéaire"}


def workbook() -> bytes:
    """The XLSForm as an .xlsx file."""
    from openpyxl import Workbook  # type: ignore[import-untyped]  # pyxform brings it; only the maker needs it

    book = Workbook()
    survey = book.active
    assert survey is not None
    survey.title = "survey"
    survey.append(list(_COLUMNS))
    for row in _SURVEY:
        unknown = set(row) - set(_COLUMNS)
        assert not unknown, unknown
        survey.append([row.get(column, "") for column in _COLUMNS])
    choices: Any = book.create_sheet("choices")
    choices.append(["list_name", "name", f"label::{_EN}", f"label::{_FR}"])
    for choice in _CHOICES:
        choices.append(list(choice))
    settings: Any = book.create_sheet("settings")
    settings.append(list(_SETTINGS))
    settings.append(list(_SETTINGS.values()))
    for sheet in book.worksheets:
        sheet.freeze_panes = "A2"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def builtin_xform() -> str:
    """The compiled shelf audit, as bundled; what an organisation starts with."""
    return resources.text(f"forms/{SHELF_AUDIT}.xml")


@cache
def builtin_form() -> Form:
    return load_form(builtin_xform().encode())


def main() -> None:
    folder = resources.path("forms")
    sheet = workbook()
    (folder / f"{SHELF_AUDIT}.xlsx").write_bytes(sheet)
    xform = compile_xlsform(sheet)
    load_form(xform)
    (folder / f"{SHELF_AUDIT}.xml").write_bytes(xform)


if __name__ == "__main__":
    main()
