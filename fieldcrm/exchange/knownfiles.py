"""Tables whose columns are documented for ever: the SIRENE stock of establishments, and BANCO.

SIRENE, StockEtablissement: https://www.sirene.fr/sirene/public/variable (INSEE), Licence Ouverte 2.0.
BANCO, base nationale des commerces ouverte: made of OpenStreetMap, ODbL 1.0, on data.gouv.fr.
Both become rows of plain columns of ours, which the same ``RowReader`` checks as it checks every file.
"""

from __future__ import annotations

import math
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache

from fieldcrm import resources
from fieldcrm.domain.catalogue import STORE_TYPES
from fieldcrm.exchange import positions
from fieldcrm.exchange.mapping import WGS84, ColumnMap
from fieldcrm.exchange.opened import BANCO, SIRENE, Row, Rows
from fieldcrm.geo import osm
from fieldcrm.geo.attribution import LICENCE as OSM_LICENCE

SIRENE_LICENCE = "Licence Ouverte 2.0 (Etalab)"
SIRENE_COLUMNS = (
    "reference", "name", "banner", "store_type", "house_number", "street", "postcode", "city", "siret", "lat", "lon",
)  # fmt: skip
BANCO_COLUMNS = (
    "reference", "name", "banner", "group_name", "store_type", "address", "city", "phone", "email", "website",
    "opening_hours", "siret", "lat", "lon",
)  # fmt: skip
_HIDDEN = "[ND]"  # what INSEE does not give out

Make = Callable[[list[str]], list[str] | str]  # a row of theirs -> a row of ours, or why it is left out


def recognised(header: Sequence[str]) -> str | None:
    """Which of the documented tables has this header, if any."""
    names = {name.strip().lstrip("\ufeff") for name in header}
    if {"siret", "etatAdministratifEtablissement", "activitePrincipaleEtablissement"} <= names:
        return SIRENE
    if {"osm_id", "type", "com_insee", "com_nom"} <= names and {"X", "Y"} <= names:
        return BANCO
    return None


def plan(kind: str, header: Sequence[str], coordinates: str = WGS84) -> tuple[ColumnMap, Make]:
    """The mapping of our columns, and how a row of theirs becomes one of ours."""
    places = {name.strip().lstrip("\ufeff"): place for place, name in reversed(list(enumerate(header)))}
    if kind == SIRENE:
        return ColumnMap(SIRENE_COLUMNS, SIRENE_COLUMNS, SIRENE, SIRENE_LICENCE), _sirene(places)
    columns = ColumnMap(BANCO_COLUMNS, BANCO_COLUMNS, BANCO, OSM_LICENCE, coordinates)
    return columns, _banco(places)


class KnownRows(Rows):
    """The rows of a documented table as rows of ours; ``left_out``: code -> how many were passed over."""

    def __init__(self, rows: Rows, make: Make) -> None:
        self._rows, self._make = rows, make
        self.left_out: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Row]:
        left_out: Counter[str] = Counter()
        self.left_out = left_out
        make = self._make
        for number, cells in self._rows:
            made = make(cells)
            if isinstance(made, str):
                left_out[made] += 1
            else:
                yield number, made

    def position(self) -> float:
        return self._rows.position()


def _getter(places: Mapping[str, int]) -> Callable[[list[str], str], str]:
    def get(cells: list[str], name: str) -> str:
        place = places.get(name, -1)
        text = cells[place].strip() if 0 <= place < len(cells) else ""
        return "" if text == _HIDDEN else text

    return get


# ---- SIRENE ----------------------------------------

_WAYS: Mapping[str, str] = {
    "ALL": "ALLEE", "AV": "AVENUE", "BD": "BOULEVARD", "CAR": "CARREFOUR", "CHE": "CHEMIN", "CHS": "CHAUSSEE",
    "CITE": "CITE", "COR": "CORNICHE", "CRS": "COURS", "DOM": "DOMAINE", "DSC": "DESCENTE", "ECA": "ECART",
    "ESP": "ESPLANADE", "FG": "FAUBOURG", "GR": "GRANDE RUE", "HAM": "HAMEAU", "HLE": "HALLE", "IMP": "IMPASSE",
    "LD": "LIEU DIT", "LOT": "LOTISSEMENT", "MAR": "MARCHE", "MTE": "MONTEE", "PAS": "PASSAGE", "PL": "PLACE",
    "PLN": "PLAINE", "PLT": "PLATEAU", "PRO": "PROMENADE", "PRV": "PARVIS", "QUA": "QUARTIER", "QUAI": "QUAI",
    "RES": "RESIDENCE", "RLE": "RUELLE", "ROC": "ROCADE", "RPT": "ROND POINT", "RTE": "ROUTE", "RUE": "RUE",
    "SEN": "SENTE", "SQ": "SQUARE", "TPL": "TERRE PLEIN", "TRA": "TRAVERSE", "VLA": "VILLA", "VLGE": "VILLAGE",
}  # fmt: skip
_AGAIN: Mapping[str, str] = {"B": "bis", "T": "ter", "Q": "quater"}
# The register gives each territory's own projection.
_PROJECTIONS: Mapping[str, int] = {"971": 5490, "972": 5490, "973": 2972, "974": 2975, "976": 4471}
_LAMBERT93 = 2154


@cache
def naf() -> Mapping[str, str]:
    """Activity code -> store type, from ``resources/exchange/naf.toml``; unknown types are left out."""
    table = tomllib.loads(resources.text("exchange/naf.toml"))["naf"]
    return {code.replace(".", ""): kind for code, kind in table.items() if kind in STORE_TYPES}


def _sirene(places: Mapping[str, int]) -> Make:
    get, trades = _getter(places), naf()
    activity, state = places["activitePrincipaleEtablissement"], places["etatAdministratifEtablissement"]
    least = max(activity, state)

    def make(cells: list[str]) -> list[str] | str:
        if len(cells) <= least:
            return "broken_off"
        kind = trades.get(cells[activity].replace(".", ""))
        if kind is None:
            return "other_trade"
        if cells[state] == "F":
            return "closed"
        sign = get(cells, "enseigne1Etablissement") or get(cells, "enseigne2Etablissement")
        name = get(cells, "denominationUsuelleEtablissement") or sign or get(cells, "denominationUniteLegale")
        if not name:
            return "no_name"
        number = " ".join(
            filter(None, (get(cells, "numeroVoieEtablissement"), _again(get(cells, "indiceRepetitionEtablissement"))))
        )
        way = get(cells, "typeVoieEtablissement")
        street = " ".join(filter(None, (_WAYS.get(way, way), get(cells, "libelleVoieEtablissement"))))
        siret = get(cells, "siret")
        return [
            siret, name, sign, kind, number, street, get(cells, "codePostalEtablissement"),
            get(cells, "libelleCommuneEtablissement"), siret, *_sirene_place(get, cells),
        ]  # fmt: skip

    return make


def _again(letter: str) -> str:
    return _AGAIN.get(letter.upper(), letter)


def _sirene_place(get: Callable[[list[str], str], str], cells: list[str]) -> tuple[str, str]:
    """Degrees; empty when the register has no place, or one outside its projection."""
    x, y = get(cells, "coordonneeLambertAbscisseEtablissement"), get(cells, "coordonneeLambertOrdonneeEtablissement")
    try:
        east, north = positions.number(x), positions.number(y)
    except ValueError:
        return "", ""
    epsg = _PROJECTIONS.get(get(cells, "codeCommuneEtablissement")[:3], _LAMBERT93)
    lat, lon = positions.projected(epsg, east, north)
    if not (math.isfinite(lat) and math.isfinite(lon)) or not (-25 <= lat <= 52):
        return "", ""
    return f"{lat:.7f}", f"{lon:.7f}"


# ---- BANCO ----------------------------------------


def _banco(places: Mapping[str, int]) -> Make:
    get = _getter(places)
    kinds: dict[str, str] = {}
    for by_value in reversed(list(osm.trades().types.values())):
        kinds |= by_value

    def make(cells: list[str]) -> list[str] | str:
        kind = next((found for value in get(cells, "type").split(";") if (found := kinds.get(value.strip()))), None)
        if kind is None:
            return "other_trade"
        name = get(cells, "name") or get(cells, "brand") or get(cells, "operator")
        if not name:
            return "no_name"
        return [
            get(cells, "osm_id"), name, get(cells, "brand"), get(cells, "operator"), kind, get(cells, "address"),
            get(cells, "com_nom"), get(cells, "phone"), get(cells, "email"), get(cells, "website"),
            get(cells, "opening_hours"), get(cells, "siret").split(";")[0], get(cells, "Y"), get(cells, "X"),
        ]  # fmt: skip

    return make


def made(rows: Iterable[Sequence[str]], make: Make) -> list[list[str]]:
    """Those rows of a sample that become outlets."""
    found = (make(list(row)) for row in rows)
    return [row for row in found if not isinstance(row, str)]
