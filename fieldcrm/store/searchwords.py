"""What a person typed, as a question for the full-text index."""

from __future__ import annotations

import re
import unicodedata

from fieldcrm.store.sorting import folded_text

WORDS, LETTERS = 12, 60  # of what was typed, at most

# As French signs and addresses abbreviate them.
SHORT_FORMS = {"st": "saint", "ste": "sainte", "bd": "boulevard", "bld": "boulevard", "fg": "faubourg"}


def typed_words(query: str) -> list[str]:
    """The words of a typed text: only letters and digits reach the index, so that no input is syntax."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", query))[:WORDS]
    return [word[:LETTERS] for word in words]


def match_expression(query: str) -> str | None:
    """The FTS5 expression for typed text: every word must begin one in the outlet; ``None`` when there is no word."""
    return expression_of(typed_words(query))


def expression_of(words: list[str]) -> str | None:
    return " AND ".join(_term(word) for word in words) or None


def _term(word: str) -> str:
    either = " OR ".join(f'"{form}"*' for form in forms(word))
    return f"({either})" if " OR " in either else either


def forms(word: str) -> tuple[str, ...]:
    """The word, and what it is short for."""
    full = SHORT_FORMS.get(word.casefold())
    return (word,) if full is None else (word, full)


def beginning_of(query: str) -> str:
    """The typed text as names are put in order (``sorting.folded``), to find those that begin with it."""
    text = unicodedata.normalize("NFC", query).encode("utf-8", "ignore").decode("utf-8").replace("\0", "")
    return folded_text(" ".join(text.split())[: 2 * LETTERS])
