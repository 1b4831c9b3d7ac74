"""The rules of the house that read the source: each takes a module's path and tree and yields what is wrong."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAX_MODULE_LINES = 500
MAX_CLASS_LINES = 420
EMPTY_NAMES = frozenset(
    ["utils", "util", "helpers", "helper", "common", "misc", "core", "service", "services", "manager", "managers"],
)
CLOCK_ROOTS = (
    "fieldcrm/app", "fieldcrm/demo", "fieldcrm/cli", "fieldcrm/serve", "fieldcrm/ui/appsession", "fieldcrm/ui/gallery",
)
PRINT_ROOTS = ("fieldcrm/cli", "fieldcrm/serve", "fieldcrm/demo")
MACHINE_PATH = re.compile(r"(?<![\w.~$}<)])/(?:work|root|home/\w+|farm|tmp/[a-z])/?\b")


def modules() -> list[Path]:
    """Every module of the product, as paths relative to the root of the project."""
    return sorted(path.relative_to(ROOT) for top in ("fieldcrm", "sync") for path in (ROOT / top).rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), str(path))


def called(node: ast.AST) -> str:
    """The dotted name that a call calls, or nothing."""
    if not isinstance(node, ast.Call):
        return ""
    parts: list[str] = []
    function: ast.expr = node.func
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if isinstance(function, ast.Name):
        parts.append(function.id)
    return ".".join(reversed(parts))


def too_long(path: Path, source: str) -> Iterator[str]:
    lines = source.count("\n")
    if lines > MAX_MODULE_LINES:
        yield f"{path}: {lines} lines"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and node.end_lineno and node.end_lineno - node.lineno > MAX_CLASS_LINES:
            yield f"{path}:{node.lineno}: class {node.name} has {node.end_lineno - node.lineno} lines"


def prints(path: Path, module: ast.Module) -> Iterator[str]:
    if path.as_posix().startswith(PRINT_ROOTS):
        return
    for node in ast.walk(module):
        if called(node) == "print":
            yield f"{path}:{node.lineno}: print()"  # type: ignore[attr-defined]


def clocks(path: Path, module: ast.Module) -> Iterator[str]:
    """The time is a parameter: only the roots may read a clock."""
    if path.as_posix().startswith(CLOCK_ROOTS):
        return
    for node in ast.walk(module):
        if called(node) in {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}:
            yield f"{path}:{node.lineno}: {called(node)}()"  # type: ignore[attr-defined]


SPOKEN = {"tr": slice(0, 1), "trn": slice(0, 1), "trc": slice(1, 2)}  # where the text stands that is looked up


def spoken(module: ast.Module) -> Iterator[tuple[int, str, ast.expr]]:
    """The texts given to ``tr``, ``trc`` and (its singular) ``trn``: line, function, argument."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            name = called(node).rpartition(".")[2]
            for text in node.args[SPOKEN.get(name, slice(0))]:
                yield node.lineno, name, text


def built_texts(path: Path, module: ast.Module) -> Iterator[str]:
    """A text that is put together before ``tr`` can never be found in the translation."""
    for line, name, text in spoken(module):
        if isinstance(text, ast.JoinedStr | ast.BinOp) or called(text).endswith("format"):
            yield f"{path}:{line}: {name}() of a text that is built at run time"


def import_time_texts(path: Path, module: ast.Module) -> Iterator[str]:
    """A text translated at import stays in the language of the start."""
    for statement in module.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.If):
            continue
        for inner in ast.walk(statement):
            if isinstance(inner, ast.Lambda):
                break
            if called(inner).rpartition(".")[2] in SPOKEN:
                yield f"{path}:{statement.lineno}: translated at import"


def outside_standard_library(path: Path, module: ast.Module) -> Iterator[str]:
    """What the domain may import: the standard library, itself, and the catalogue's words."""
    for node in ast.walk(module):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            top = name.partition(".")[0]
            if top in sys.stdlib_module_names or name.startswith(("fieldcrm.domain", "sync.catalogue")):
                continue
            yield f"{path}:{node.lineno}: imports {name}"  # type: ignore[attr-defined]


def drivers_of_sync(path: Path, module: ast.Module) -> Iterator[str]:
    """Who drives the device's end of sync: ``usecases.syncing`` alone, and the roots that put it together."""
    roots = ("fieldcrm/app", "fieldcrm/demo", "fieldcrm/cli")
    allowed = ("fieldcrm/usecases/syncing", "fieldcrm/usecases/signin", *roots, "sync/")
    if path.as_posix().startswith(allowed):
        return
    for node in ast.walk(module):
        imported = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        if imported.startswith(("sync.client.engine", "sync.client.http")):
            yield f"{path}:{node.lineno}: imports {imported}"  # type: ignore[attr-defined]


def empty_names(path: Path) -> Iterator[str]:
    for part in path.with_suffix("").parts:
        if part in EMPTY_NAMES:
            yield f"{path}: “{part}” says nothing"


def machine_paths(path: Path, source: str) -> Iterator[str]:
    for number, line in enumerate(source.splitlines(), 1):
        if MACHINE_PATH.search(line) and not line.startswith("#!"):
            yield f"{path}:{number}: a path of one machine: {line.strip()[:80]}"
