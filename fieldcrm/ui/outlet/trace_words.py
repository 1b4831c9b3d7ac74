"""Where a value comes from, in a line: who knew it, under which licence, since when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fieldcrm.domain import provenance
from fieldcrm.usecases.card import Card as OutletCard
from fieldcrm.words import since, tr

SOURCES = {"osm": "OpenStreetMap", "sirene": "SIRENE", "banco": "BANCO", "ban": "Base Adresse Nationale",
           "nominatim": "OpenStreetMap", "photon": "OpenStreetMap", "region": "OpenStreetMap"}


def source_words(source: str) -> str:
    """The name of a data source."""
    return SOURCES.get(source, source)


def trace_words(card: OutletCard, fields: Sequence[str], now: datetime) -> str:
    """Of the first of these fields that says where it comes from."""
    for field in fields:
        trace = card.traces.get(field)
        if trace is not None:
            source = source_words(trace.source)
            if trace.source == provenance.PERSON:
                source = trace.person or tr("A colleague")
            return ", ".join(part for part in (source, trace.licence, since(trace.at, now)) if part)
    return ""
