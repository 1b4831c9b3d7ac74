"""Every sentence exists in both languages: texts on the screen, and errors by their code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from tests.arch import rules

ERRORS = frozenset({"DomainError", "Unavailable"})


@cache
def french() -> dict[str, object]:
    """English text -> French text (or texts), from every room's file; refuses fuzzy and empty entries."""
    found: dict[str, object] = {}
    for path in sorted((rules.ROOT / "resources/i18n/fr").glob("*.po")):
        with path.open("rb") as file:
            catalogue: Catalog = read_po(file, locale="fr", abort_invalid=True)
        for message in catalogue:
            if not message.id:
                continue
            key = message.id[0] if isinstance(message.id, tuple) else message.id
            texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
            if all(texts) and "fuzzy" not in message.flags:
                found[key] = message.string
    return found


def texts() -> Iterator[tuple[str, str]]:
    """Every literal text that is spoken, plurals by their singular: where, and what."""
    for path in rules.modules():
        for line, _, text in rules.spoken(rules.tree(path)):
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield f"{path}:{line}", text.value


@cache
def error_codes() -> dict[str, str]:
    """Every code that the source gives to an error -> where first."""
    found: dict[str, str] = {}
    for path in rules.modules():
        if path.as_posix() == "fieldcrm/domain/errors.py":
            continue
        for node in ast.walk(rules.tree(path)):
            if rules.called(node).rpartition(".")[2] in ERRORS and isinstance(node, ast.Call) and node.args:
                code = node.args[0]
                if isinstance(code, ast.Constant):
                    found.setdefault(code.value, f"{path}:{node.lineno}")
    return found


def test_every_text_has_a_french_one() -> None:
    spoken = list(texts())
    assert spoken
    missing = [f"{where}: {text!r}" for where, text in spoken if text not in french()]
    assert missing == []


def test_french_texts_keep_the_names_in_braces() -> None:
    from string import Formatter

    def names(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    wrong = []
    for source, target in french().items():
        for text in target if isinstance(target, tuple | list) else (target,):
            extra = names(str(text)) - names(source) - {"n"}
            if extra:
                wrong.append(f"{source!r}: {sorted(extra)}")
    assert wrong == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_error_code_has_a_sentence(language: str) -> None:
    from fieldcrm.ui.sentences import SENTENCES

    assert error_codes()
    missing = [f"{where}: {code}" for code, where in error_codes().items() if code not in SENTENCES]
    assert missing == []
    if language == "fr":
        assert [code for code, sentence in SENTENCES.items() if sentence not in french()] == []
