"""The source keeps the rules of the house, and each rule catches what it is there for."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.arch import rules

TREE_RULES = {
    rules.prints: ("fieldcrm/store/search.py", "def f():\n    print(1)"),
    rules.clocks: ("fieldcrm/usecases/today.py", "from datetime import datetime\nx = datetime.now()"),
    rules.built_texts: ("fieldcrm/ui/x.py", "def f(n):\n    return tr(f'{n} visits')"),
    rules.import_time_texts: ("fieldcrm/ui/x.py", "TITLE = tr('Today')"),
    rules.drivers_of_sync: ("fieldcrm/ui/x.py", "from sync.client.engine import Engine"),
    rules.outside_standard_library: ("fieldcrm/domain/x.py", "import sqlalchemy"),
}
TEXT_RULES = {
    rules.too_long: ("fieldcrm/x.py", "x = 1\n" * 501),
    rules.machine_paths: ("docs/x.md", "see /ro" + "ot/x"),
}

TreeRule = Callable[[Path, ast.Module], Iterator[str]]
TextRule = Callable[[Path, str], Iterator[str]]


def _name(rule: object) -> str:
    return getattr(rule, "__name__", "")


@pytest.mark.parametrize("rule", TREE_RULES, ids=_name)
def test_every_module_keeps_the_rule(rule: TreeRule) -> None:
    paths = rules.modules()
    if rule is rules.outside_standard_library:
        paths = [path for path in paths if path.parts[:2] == ("fieldcrm", "domain")]
    assert paths
    assert [problem for path in paths for problem in rule(path, rules.tree(path))] == []


@pytest.mark.parametrize("rule", TREE_RULES, ids=_name)
def test_the_rule_catches_a_deliberate_violation(rule: TreeRule) -> None:
    path, source = TREE_RULES[rule]
    assert list(rule(Path(path), ast.parse(source)))


def test_no_module_and_no_class_is_too_long() -> None:
    problems = [p for path in rules.modules() for p in rules.too_long(path, (rules.ROOT / path).read_text("utf-8"))]
    assert problems == []


def test_no_room_has_a_name_that_says_nothing() -> None:
    assert [problem for path in rules.modules() for problem in rules.empty_names(path)] == []
    assert list(rules.empty_names(Path("fieldcrm/store/" + "utils.py")))


@pytest.mark.parametrize("rule", TEXT_RULES, ids=_name)
def test_the_rule_on_text_catches_a_deliberate_violation(rule: TextRule) -> None:
    path, source = TEXT_RULES[rule]
    assert list(rule(Path(path), source))


def test_no_committed_file_names_a_path_of_one_machine() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=rules.ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a clone")
    problems = []
    for name in listed.stdout.decode().split("\0"):
        path = rules.ROOT / name
        if not name or not path.is_file() or name.startswith(("resources/map/", "LICENSE")):
            continue
        try:
            problems += rules.machine_paths(Path(name), path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue
    assert problems == []
