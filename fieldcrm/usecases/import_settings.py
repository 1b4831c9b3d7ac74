"""What an import begins with: the columns as they were settled for such a file before, where outlets usually are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.exchange.mapping import ColumnMap, signature
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.state import read_state, write_state
from fieldcrm.store.whereabouts import usual_place

KEY = "import_mappings"
MOST = 60  # the ones used last
ZONE, COUNTRY = "Europe/Paris", "FR"  # of an organisation without outlets
# Countries to choose from, with the time zone of most of their people.
ZONES: Mapping[str, str] = {
    "AT": "Europe/Vienna", "BE": "Europe/Brussels", "CH": "Europe/Zurich", "DE": "Europe/Berlin",
    "DK": "Europe/Copenhagen", "ES": "Europe/Madrid", "FI": "Europe/Helsinki", "FR": "Europe/Paris",
    "GB": "Europe/London", "GF": "America/Cayenne", "GP": "America/Guadeloupe", "IE": "Europe/Dublin",
    "IT": "Europe/Rome", "LU": "Europe/Luxembourg", "MC": "Europe/Monaco", "MQ": "America/Martinique",
    "MT": "Europe/Malta", "NL": "Europe/Amsterdam", "PT": "Europe/Lisbon", "RE": "Indian/Reunion",
    "SE": "Europe/Stockholm", "YT": "Indian/Mayotte",
}  # fmt: skip


def remembered(r: Reader, header: Sequence[str]) -> ColumnMap | None:
    """What a person settled for a file with these columns, in any order; ``None`` when nothing is remembered."""
    kept = read_state(r, KEY, {}).get(signature(header))
    if kept is None:
        return None
    try:
        return ColumnMap.from_dict(kept).fitted(header)
    except DomainError:  # of another version of the program: the columns are guessed anew
        return None


def remember(tx: Transaction, mapping: ColumnMap) -> None:
    """Keep a mapping for the next file with these columns."""
    kept = dict(read_state(tx, KEY, {}))
    key = signature(mapping.header)
    kept.pop(key, None)
    kept[key] = mapping.to_dict()
    write_state(tx, KEY, dict(list(kept.items())[-MOST:]))


def place_of(r: Reader, sector_id: Id | None, country: str = "") -> tuple[str, str]:
    """Time zone and country that hold where a file says none: those of ``country`` when one was chosen, else of most
    outlets of the sector (of all, without one)."""
    usual = usual_place(r, sector_id) or usual_place(r, None) or (ZONE, COUNTRY)
    return usual if country in ("", usual[1]) else (ZONES.get(country, usual[0]), country)
