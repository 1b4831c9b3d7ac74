"""Why an outlet is not on the map, and what a proposal is worth, in plain words."""

from __future__ import annotations

from fieldcrm.domain.placing import Address, Candidate, Placing
from fieldcrm.ui.messages import sentence
from fieldcrm.usecases.placing_queue import ASKING, DONE, FAILED, PAUSED, STOPPED, Progress
from fieldcrm.words import number, tr, trn


def why(code: str) -> str:
    return {
        "no_address": tr("No address"),
        "town_only": tr("No street: the town alone is known"),
        "not_found": tr("Address not found"),
        "several": tr("Several places fit"),
        "elsewhere": tr("Found in another department or country"),
        "street_only": tr("The street was found, not the number"),
        "weak": tr("What was found differs"),
        "declined": tr("The proposed place was refused"),
    }.get(code, tr("Waits for the address service"))


def provider_name(kind: str) -> str:
    return {"ban": tr("National address base"), "nominatim": "OpenStreetMap (Nominatim)", "photon": "Photon",
            "region": tr("Region on this device")}.get(kind, kind)


def precision(found: Candidate) -> str:
    return {"number": tr("house number"), "street": tr("street"), "town": tr("town")}.get(found.precision, "")


def worth(placing: Placing) -> str:
    """``71 of 100 · street · National address base``."""
    parts = [tr("{n} of 100", n=placing.confidence) if placing.confidence else "",
             precision(placing.found) if placing.found else "", provider_name(placing.provider)]
    return " · ".join(part for part in parts if part)


def address_line(address: Address) -> str:
    return address.line or tr("No address")


def progress_line(progress: Progress) -> str:
    parts = []
    if progress.state == ASKING:
        parts.append(tr("Asking: {n} of {all}", n=number(progress.done), all=number(progress.total)))
    elif progress.state == PAUSED and progress.error is not None:
        again = trn("It tries again in {n} second.", "It tries again in {n} seconds.", progress.seconds)
        return f"{sentence(progress.error)} {again}"
    elif progress.state == FAILED and progress.error is not None:
        return sentence(progress.error)
    elif progress.state in (DONE, STOPPED):
        parts.append(tr("Done") if progress.state == DONE else tr("Stopped: the rest waits"))
    for count, said in (
        (progress.placed, trn("{n} placed", "{n} placed", progress.placed)),
        (progress.doubtful, trn("{n} in doubt", "{n} in doubt", progress.doubtful)),
        (progress.refused, trn("{n} not found", "{n} not found", progress.refused)),
    ):
        if count:
            parts.append(said)
    return " · ".join(parts)
