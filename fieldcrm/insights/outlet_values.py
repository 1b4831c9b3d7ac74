"""Single values of an outlet: whether they can be right, and what was probably meant.

Every check is a function of text alone and gives ``None`` (nothing to say) or a ``Remark``. ``safe``: the suggestion
says the same thing in the usual writing, so that it may be applied to many at once without looking at each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.outlet import check_email, check_postcode, check_website
from fieldcrm.domain.siret import luhn

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

INTERNATIONAL, E164, NATIONAL, ANY = "international", "e164", "national", "any"
PHONE_FORMS = (ANY, INTERNATIONAL, E164, NATIONAL)
LA_POSTE = "356000000"  # its establishments share one SIREN and are numbered without Luhn's check: digits sum to 5n

_COUNTRIES = {"france": "FR", "belgique": "BE", "belgium": "BE", "suisse": "CH", "switzerland": "CH", "malta": "MT",
              "luxembourg": "LU", "deutschland": "DE", "españa": "ES", "italia": "IT", "finland": "FI", "suomi": "FI"}


@dataclass(frozen=True, slots=True)
class Remark:
    code: str
    suggestion: str | None = None
    safe: bool = False


def country_code(value: str | None, otherwise: str = "") -> str:
    """``FR`` of ``fr`` or ``France``; ``otherwise`` when nothing, or nothing known, is given."""
    text = (value or "").strip()
    if len(text) == 2 and text.isascii() and text.isalpha():
        return text.upper()
    return _COUNTRIES.get(text.casefold(), otherwise)


# ---- telephone ----------------------------------------


@lru_cache(maxsize=64)
def _plain_phone(region: str) -> re.Pattern[str] | None:
    """Numbers of a region that are right as they stand, by the library's own tables; the rest goes to its parser."""
    from phonenumbers import PhoneMetadata

    data = PhoneMetadata.metadata_for_region(region, None)
    if data is None or data.national_prefix is None or not re.fullmatch(r"[0-9]", data.national_prefix):
        return None
    kinds = (data.fixed_line, data.mobile, data.toll_free, data.premium_rate, data.shared_cost, data.voip,
             data.personal_number, data.uan)
    patterns = [kind.national_number_pattern for kind in kinds if kind is not None and kind.national_number_pattern]
    if not patterns:
        return None
    whole = "|".join(f"(?:{pattern})" for pattern in patterns)
    return re.compile(rf"(?:{data.national_prefix}|\+{data.country_code})(?:{whole})")


_POSTE = re.compile(r"poste\s*", re.IGNORECASE)
_SEPARATED = re.compile(r"[ .\-\u00a0\u202f]")
_USUAL_PHONE = re.compile(r"\+?[0-9]{1,4}(?:[ .\-\u00a0\u202f][0-9]{1,4}){2,6}|\+[0-9]{8,15}")


def phone(value: str, region: str, form: str = ANY) -> Remark | None:
    """``phone_invalid``, or ``phone_style`` when the number is right and oddly (or not as ``form`` asks) written."""
    text = value.strip()
    if form == ANY and _USUAL_PHONE.fullmatch(text):
        pattern = _plain_phone(region)
        if pattern is not None and pattern.fullmatch(_SEPARATED.sub("", text)):
            return None
    return _judged_phone(value, region, form)


@lru_cache(maxsize=4096)
def _judged_phone(value: str, region: str, form: str) -> Remark | None:
    number = _parsed(value, region)
    if number is None and _short(value, region):
        return None
    if number is None:
        return Remark("phone_invalid", _zero_lost(value, region))
    wanted = _written(number, region, form)
    if value == wanted or (form == ANY and _USUAL_PHONE.fullmatch(value)):
        return None
    return Remark("phone_style", wanted, safe=True)


# Departments with a country calling code of their own, where addresses name France as their country.
_OVERSEAS = {"FR": ("RE", "GP", "MQ", "GF", "YT", "PM")}


def _parsed(value: str, region: str) -> PhoneNumber | None:
    from phonenumbers import NumberParseException, is_valid_number, parse

    for here in (region, *_OVERSEAS.get(region, ())):
        try:
            number = parse(_POSTE.sub("ext. ", value), here or None)
        except NumberParseException:
            return None
        if is_valid_number(number):
            return number
    return None


def _short(value: str, region: str) -> bool:
    """A short number of the country, as *3631* in France: right as it is, and without an international writing."""
    from phonenumbers import NumberParseException, is_valid_short_number_for_region, parse

    try:
        return bool(region) and is_valid_short_number_for_region(parse(value, region), region)
    except NumberParseException:
        return False


def _written(number: PhoneNumber, region: str, form: str) -> str:
    from phonenumbers import PhoneNumberFormat, format_number, region_code_for_number

    if form == E164 and not number.extension:
        return format_number(number, PhoneNumberFormat.E164)
    if form == NATIONAL and region_code_for_number(number) == region:
        return format_number(number, PhoneNumberFormat.NATIONAL)
    return format_number(number, PhoneNumberFormat.INTERNATIONAL)


def _zero_lost(value: str, region: str) -> str | None:
    """A spreadsheet takes ``0145001212`` for a number and drops the zero."""
    digits = re.sub(r"[^0-9]", "", value)
    if not region or not 7 <= len(digits) <= 10 or digits.startswith("0"):
        return None
    number = _parsed("0" + digits, region)
    return None if number is None else _written(number, region, INTERNATIONAL)


# ---- e-mail, website ----------------------------------------


_USUAL_EMAIL = re.compile(r"[a-zA-Z0-9_+-]+(?:\.[a-zA-Z0-9_+-]+)*@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+")


def email(value: str) -> Remark | None:
    if len(value) < 200 and _USUAL_EMAIL.fullmatch(value):
        return None
    if _right(check_email, value) and value.isascii():
        return None
    tidy = re.sub(r"^mailto:", "", value.strip(), flags=re.IGNORECASE).strip(" .,;<>")
    if tidy != value and _right(check_email, tidy) and tidy.isascii():
        return Remark("email_style", tidy, safe=True)
    meant = re.sub(r"\s+", "", tidy).replace(",", ".").replace("@.", "@").replace("..", ".")
    meant = re.sub(r"\((?:at|arobase)\)|\[at\]", "@", meant, flags=re.IGNORECASE)
    return Remark("email_invalid", meant if _right(check_email, meant) and meant.isascii() else None)


def website(value: str) -> Remark | None:
    if _plain_website(value):
        return None
    tidy = value.strip().strip("<>").rstrip(" .,;")
    if _plain_website(tidy):
        return Remark("website_style", tidy, safe=True)
    meant = re.sub(r"^(https?)[:;]?/{1,}", r"\1://", tidy.replace("\\", "/"), flags=re.IGNORECASE)
    meant = re.sub(r"^(https?://)?www[,;]", r"\1www.", re.sub(r"\s+", "", meant), flags=re.IGNORECASE)
    return Remark("website_invalid", meant if _right(check_website, meant) else None)


def _plain_website(value: str) -> bool:
    return _right(check_website, value) and not re.match(r"[^/]*[,;]", value)


def _right(check: object, value: str) -> bool:
    try:
        return bool(check(value) == value)  # type: ignore[operator]
    except DomainError:
        return False


# ---- SIRET, postcode ----------------------------------------

_FOURTEEN = re.compile(r"[0-9]{14}")


def siret_valid(digits: str) -> bool:
    """Fourteen digits closed by Luhn, their first nine too; La Poste's own establishments sum to a multiple of five.

    Source: INSEE, definition of SIRET; the exception is that of SIREN 356 000 000, whose seat keeps Luhn's check.
    """
    if not _FOURTEEN.fullmatch(digits) or not luhn(digits[:9]):
        return False
    return luhn(digits) or (digits.startswith(LA_POSTE) and sum(map(int, digits)) % 5 == 0)


def siret(value: str) -> Remark | None:
    if len(value) == 14 and value.isascii() and value.isdigit():
        return None if siret_valid(value) else Remark("siret_invalid")
    digits = re.sub(r"[\s.\-\u00a0\u202f]", "", value)
    if not re.fullmatch(r"[0-9]+", digits):
        return Remark("siret_invalid")
    if len(digits) == 14 and siret_valid(digits):
        return Remark("siret_style", digits, safe=True)
    if len(digits) == 9 and luhn(digits):
        return Remark("siret_is_siren")
    if len(digits) in (12, 13) and siret_valid(digits.zfill(14)):
        return Remark("siret_invalid", digits.zfill(14))
    return Remark("siret_invalid")


_FRENCH_POSTCODE = re.compile(r"(?:0[1-9]|[1-8][0-9]|9[0-58]|97[1-8])[0-9]{2,3}")


def postcode(value: str, region: str) -> Remark | None:
    """The shape of the country's postcodes; spaces and a country's letters before it are a matter of style."""
    if region == "FR" and len(value) == 5 and value.isdigit():
        return None if _FRENCH_POSTCODE.fullmatch(value) else Remark("postcode_invalid")
    return _judged_postcode(value, region)


@lru_cache(maxsize=4096)
def _judged_postcode(value: str, region: str) -> Remark | None:
    if region == "FR":
        return _french_postcode(value)
    if _postcode_right(value, region):
        return None
    tidy = re.sub(rf"^{region}-?\s*", "", value.strip().upper()) if region else value.strip().upper()
    if tidy != value and _postcode_right(tidy, region):
        return Remark("postcode_style", tidy, safe=True)
    return Remark("postcode_invalid")


def _french_postcode(value: str) -> Remark | None:
    digits = re.sub(r"^F(?:R|RANCE)?-?", "", re.sub(r"[\s\u00a0\u202f]", "", value.upper()))
    digits = re.sub(r"\.0$", "", digits)  # a number that went through a spreadsheet
    if re.fullmatch(r"[0-9]{5}", digits) and _FRENCH_POSTCODE.fullmatch(digits):
        return None if digits == value else Remark("postcode_style", digits, safe=True)
    if re.fullmatch(r"[1-9][0-9]{3}", digits):  # the zero of 01 to 09 was lost
        return Remark("postcode_invalid", "0" + digits)
    return Remark("postcode_invalid")


def _postcode_right(value: str, region: str) -> bool:
    try:
        return check_postcode(value, region) == value
    except DomainError:
        return False


# ---- writing ----------------------------------------

_SMALL = frozenset("de du des la le les et à a au aux en sur sous chez lès les par pour dans and of the on by".split())
_KEPT = frozenset("SARL SAS SASU EURL SCI SNC SA ZI ZA ZAC ZUP CC BP CS RN RD TGV RER SNCF CHU ND II III IV VI".split())
_ELIDED = re.compile(r"^([dlDL])(['’])(.+)$")


def spaces(value: str) -> Remark | None:
    """Control characters, spaces at the ends, and several in a row."""
    if value.isprintable() and value == value.strip() and "  " not in value:
        return None
    tidy = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    return Remark("spaces", tidy, safe=True) if tidy and tidy != value else None


def capitals(value: str, known: str | None = None) -> Remark | None:
    """A text all in capitals, as French till software writes it; ``known``: how its enseigne writes itself."""
    if not value.isupper() or sum(c.isalpha() for c in value) < 5:
        return None
    if known is not None and known == value:
        return None
    tidy = titled(value, known)
    return None if tidy == value else Remark("capitals", tidy, safe=True)


def titled(value: str, known: str | None = None) -> str:
    """Each word with one capital, small words without, company forms and Roman numbers kept."""
    if known and value.casefold().startswith(known.casefold()) and value[len(known) : len(known) + 1] in ("", " "):
        rest = value[len(known) :].strip()
        return f"{known} {titled(rest)}".strip() if rest else known
    words = value.split(" ")
    return " ".join(_titled_word(word, first=at == 0) for at, word in enumerate(words))


def _titled_word(word: str, *, first: bool) -> str:
    if word in _KEPT or (len(word) <= 4 and not set(word) & set("AEIOUYÀÂÉÈÊÎÔÛ") and word.isalpha()):
        return word
    elided = _ELIDED.match(word)
    if elided:
        letter = elided[1].upper() if first else elided[1].lower()
        return f"{letter}{elided[2]}{_titled_word(elided[3], first=True)}"
    low = word.lower()
    if low in _SMALL and not first:
        return low
    parts = enumerate(low.split("-"))
    return "-".join(part if at and part in _SMALL else part[:1].upper() + part[1:] for at, part in parts)


@lru_cache(maxsize=4096)
def hours_read(text: str) -> bool:
    """Whether opening hours can be read. Distinct texts are few: each is parsed once."""
    from opening_hours import validate

    return bool(validate(text))
