"""How texts are put in order in SQL: without case and without the accents of European languages.

A plain SQL expression and not a function of the program, so that it can be indexed and the file stays
readable by any SQLite. Ligatures count as their letters, so that *Œuvre* stands beside *oeuf*.
"""

from __future__ import annotations

_FOLDS = (
    ("a", "àâäáãåÀÂÄÁÃÅ"),
    ("c", "çÇ"),
    ("e", "éèêëÉÈÊË"),
    ("i", "îïíìÎÏÍÌ"),
    ("n", "ñÑ"),
    ("o", "ôöóòõøÔÖÓÒÕØ"),
    ("u", "ùûüúÙÛÜÚ"),
    ("y", "ÿŸ"),
    ("oe", "œŒ"),
    ("ae", "æÆ"),
    ("ss", "ß"),
)


def folded(column: str) -> str:
    """The SQL expression by which ``column`` is sorted; the same text everywhere, or no index is used."""
    simple = expression = f"lower({column})"
    for plain, accented in _FOLDS:
        for letter in accented:
            expression = f"replace({expression}, '{letter}', '{plain}')"
    # Most names have nothing to fold, and fifty replacements take longer than writing the row does.
    return f"CASE WHEN octet_length({column}) = length({column}) THEN {simple} ELSE {expression} END"


_PLAIN = str.maketrans({letter: plain for plain, accented in _FOLDS for letter in accented})


def folded_text(text: str) -> str:
    """``text`` as ``folded`` makes it in SQL, whose ``lower`` knows the letters of ASCII only."""
    lowered = "".join(letter.lower() if letter.isascii() else letter for letter in text)
    return lowered.translate(_PLAIN)
