"""Why two outlets look like one, in plain words."""

from __future__ import annotations

from collections.abc import Iterable

from fieldcrm.usecases.duplicates import Reason
from fieldcrm.words import distance, tr


def reason_words(reason: Reason) -> str:
    """A few words for one reason; the figure of the distance is in it."""
    evidence = reason.code.partition(".")[0]
    if evidence == "distance":
        return tr("{distance} apart", distance=distance(reason.params["metres"]))
    return _levels().get(reason.code) or _levels().get(f"{evidence}.*", "")


def why(reasons: Iterable[Reason], *, most: int = 4, speaking_for: bool | None = None) -> str:
    """The weightiest reasons in one line; ``speaking_for`` keeps those for, or those against."""
    chosen = [one for one in reasons if speaking_for is None or (one.strength >= 0) is speaking_for]
    if any(one.code.startswith("name.chain_") for one in chosen):  # which says the banner already
        chosen = [one for one in chosen if one.code != "enseigne.same"]
    return " · ".join(dict.fromkeys(words for one in chosen[:most] if (words := reason_words(one))))


def evidence_name(evidence: str) -> str:
    return {
        "name": tr("Name"), "enseigne": tr("Banner"), "distance": tr("Distance"), "phone": tr("Telephone"),
        "siret": tr("SIRET"), "address": tr("Address"), "place": tr("Postcode or town"), "web": tr("Website"),
        "email": tr("E-mail"), "trade": tr("Type of store"),
    }.get(evidence, evidence)  # fmt: skip


def _levels() -> dict[str, str]:
    same_name, alike = tr("same name"), tr("names alike")
    word, rare_word = tr("a word of the name in common"), tr("a rare word of the name in common")
    each_more = tr("each name says something of its own")
    return {
        "name.same": same_name,
        "name.same_common": tr("same name, a frequent one"),
        "name.same_plus_trade": tr("same name, one says its trade"),
        "name.close": alike,
        "name.close_common": tr("names alike, frequent ones"),
        "name.close_plus_trade": alike,
        "name.chain_same": tr("same chain, nothing more in the name"),
        "name.chain_one_named": tr("same chain, one without its place"),
        "name.chain_other_branch": tr("two branches by their names"),
        "name.same_plus_own_trade": tr("same name, one says its trade"),
        "name.close_plus_own_trade": alike,
        "name.same_each_more": each_more,
        "name.close_each_more": each_more,
        "name.contained": tr("one name in the other"),
        "name.contained_rare": tr("one name in the other, a rare one"),
        "name.contained_each_more": each_more,
        "name.word_in_common": word,
        "name.word_in_common_rare": rare_word,
        "name.word_in_common_each_more": each_more,
        "name.one_word": tr("a word of the name in common, the rest differs"),
        "name.one_word_rare": rare_word,
        "name.short_word": tr("a short word of the name in common"),
        "name.run_together": tr("one name in the other"),
        "name.somewhat": tr("names somewhat alike"),
        "name.alike": tr("names somewhat alike"),
        "name.far": tr("names hardly alike"),
        "name.differs": tr("other name"),
        "name.trade_only": tr("names that only say the trade"),
        "name.trade_named": tr("one name only says the trade"),
        "name.trade_within": tr("names that only say the trade"),
        "name.trade_shared": tr("a word of the trade in common"),
        "name.trade_other": tr("one name says another trade"),
        "name.other_trade": tr("same name, another trade"),
        "enseigne.same": tr("same banner"),
        "enseigne.same_group": tr("other banner of the same group"),
        "enseigne.differs": tr("other banner"),
        "phone.same": tr("same telephone"),
        "phone.differs": tr("other telephone"),
        "siret.same": tr("same SIRET"),
        "siret.same_company": tr("same company, another establishment"),
        "siret.differs": tr("other SIRET"),
        "address.same": tr("same address"),
        "address.same_street": tr("same street"),
        "address.other_number": tr("same street, other number"),
        "address.other_street": tr("other street"),
        "place.same": tr("same town"),
        "place.differs": tr("other town"),
        "web.same": tr("same web page"),
        "web.same_domain": tr("same website, other page"),
        "web.differs": tr("other website"),
        "email.same": tr("same e-mail"),
        "email.same_domain": tr("e-mail of the same company"),
        "email.differs": tr("other e-mail"),
        "trade.same": tr("same type of store"),
        "trade.differs": tr("other type of store"),
        "trade.pump_and_shop": tr("a petrol station and a shop"),
        "standing.alone": tr("no other outlet resembles them"),
        "standing.clear": tr("no other outlet fits as well"),
        "standing.ahead": tr("fits better than any other outlet"),
        "standing.even": tr("another outlet fits as well"),
        "standing.behind": tr("another outlet fits better"),
        "standing.beaten": tr("another outlet fits far better"),
    }
