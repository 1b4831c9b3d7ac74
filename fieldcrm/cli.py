"""The command line: ``fieldcrm`` opens the program, ``fieldcrm COMMAND`` does one thing and says what it did.

Exit codes: 0 done; 1 refused, or a figure of the played day differs; 2 wrong options; 3 not possible now (offline, disk
full, locked): try again; 4 done, but something was damaged or is missing; 70 an error of the program itself.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fieldcrm import __version__, words
from fieldcrm.domain.errors import DomainError, Unavailable

if TYPE_CHECKING:
    from fieldcrm.store.database import Database
    from fieldcrm.store.photos import PhotoStore
    from fieldcrm.usecases.rescuing import Report

DONE, REFUSED, UNAVAILABLE, DAMAGED, BUG = 0, 1, 3, 4, 70


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; an expected error becomes one sentence on the standard error."""
    words.set_language(words.system_language())
    options, rest = _parser().parse_known_args(arguments)
    if rest and options.run is not _server:
        _parser().error("unrecognized arguments: " + " ".join(rest))
    options.rest = rest
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except (DomainError, Unavailable) as error:
        from fieldcrm.ui.messages import sentence

        print(sentence(error), file=sys.stderr)
        return REFUSED if isinstance(error, DomainError) else UNAVAILABLE
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fieldcrm", description="Field sales, offline first.")
    parser.add_argument("--version", action="version", version=f"fieldcrm {__version__}")
    parser.add_argument("--profile", type=Path, metavar="DIR", help="folder of the workspace to open")
    parser.add_argument("--open", metavar="outlet:ID", default="", help="show this outlet at once")
    parser.add_argument("--demo", action="store_true", help="open the workspace with sample data")
    parser.set_defaults(run=_open)
    commands = parser.add_subparsers(metavar="COMMAND")

    demo = commands.add_parser("demo", help="open a demo workspace, or play a working day without a screen")
    demo.add_argument("--headless", action="store_true", help="play the day without a screen and print what happened")
    demo.add_argument("--json", action="store_true", help="with --headless: print one JSON object, nothing else")
    demo.add_argument("--out", type=Path, metavar="DIR", help="with --headless: pictures and the day's report go here")
    demo.add_argument("--pictures", choices=("all", "few"), default="all", help="few: French and light alone")
    demo.add_argument("--region", type=Path, metavar="FILE.osm.pbf", help="outlets of this OpenStreetMap extract")
    demo.add_argument("--folder", type=Path, metavar="DIR", help="where the demo workspace is kept")
    demo.add_argument("--fresh", action="store_true", help="throw the demo workspace away and begin again")
    demo.add_argument("--role", choices=("rep", "manager"), default="rep", help="whose workspace to open")
    demo.set_defaults(run=_demo)

    region = commands.add_parser("region", help="the offline map of a region").add_subparsers(required=True)
    build = region.add_parser("build", help="make one pack of an OpenStreetMap extract: map, outlets, streets, roads")
    build.add_argument("extract", type=Path, metavar="FILE.osm.pbf")
    build.add_argument("out", type=Path, metavar="PACK.mbtiles", nargs="?", help="default: beside the extract")
    build.add_argument("--name", default="", help="of the region; default: the extract's")
    build.set_defaults(run=_region_build)
    put = region.add_parser("install", help="put a pack in its place: the map, streets and roads of the workspace")
    put.add_argument("pack", type=Path, metavar="PACK.mbtiles")
    put.set_defaults(run=_region_install)
    region.add_parser("list", help="the packs that are installed").set_defaults(run=_region_list)

    form = commands.add_parser("form", help="compile an XLSForm workbook to an XForm and say what is wrong with it")
    form.add_argument("workbook", type=Path, metavar="FILE.xlsx")
    form.add_argument("--out", type=Path, metavar="FILE.xml", help="write the compiled form here")
    form.set_defaults(run=_form)

    rescue = commands.add_parser("rescue", help="rebuild a device from its journal, or from its second copy")
    rescue.add_argument("source", type=Path, metavar="DIR", help="a profile, a second copy, or a journal; only read")
    rescue.add_argument("--into", type=Path, metavar="DIR", help="the new profile; without it: look, and write nothing")
    rescue.add_argument("--code-file", type=Path, metavar="FILE", help="the recovery code; else it is asked for")
    rescue.add_argument("--passphrase-file", type=Path, metavar="FILE", help="of the profile to be read")
    rescue.add_argument(
        "--new-passphrase-file", type=Path, metavar="FILE", help="of the new profile; else the keyring keeps its key"
    )
    rescue.add_argument("--json", action="store_true", help="print one JSON object")
    rescue.set_defaults(run=_rescue)

    bundle = commands.add_parser("bundle", help="sync by stick").add_subparsers(required=True)
    carry = bundle.add_parser("export", help="write what waits to be sent into one encrypted file")
    carry.add_argument("folder", type=Path, metavar="DIR")
    answer = bundle.add_parser("import", help="take what headquarters answered to it")
    answer.add_argument("file", type=Path, metavar="FILE.answer.fieldcrm")
    for one, run in ((carry, _bundle_export), (answer, _bundle_import)):
        one.add_argument("--passphrase-file", type=Path, metavar="FILE", help="of the profile")
        one.set_defaults(run=run)

    commands.add_parser("gallery", help="show every widget in both themes").set_defaults(run=_gallery)
    server = commands.add_parser("server", help="start or administer a server", add_help=False)
    server.set_defaults(run=_server)
    return parser


def _open(options: argparse.Namespace) -> int:
    import gc

    gc.disable()  # a tenth of the start is collecting what is all still needed; later fieldcrm.ui.garbage collects
    from fieldcrm.app import Sample, main

    def prepare() -> None:
        from fieldcrm.demo.workspace import prepare_workspace

        prepare_workspace(now=datetime.now(UTC))

    def run() -> int:
        from fieldcrm.demo.workspace import open_workspace

        return open_workspace(folder=None, region=None, fresh=False, now=datetime.now(UTC))

    if options.demo:
        return run()
    return main(profile=options.profile, wish=options.open, sample=Sample(prepare, run))


def _demo(options: argparse.Namespace) -> int:
    if options.headless:
        from fieldcrm.demo.headless import play

        now = datetime.now(UTC)
        few = options.pictures == "few"
        return play(region=options.region, out=options.out, as_json=options.json, few_pictures=few, now=now)
    from fieldcrm.demo.workspace import open_workspace

    return open_workspace(
        folder=options.folder, region=options.region, fresh=options.fresh, role=options.role, now=datetime.now(UTC)
    )


def _region_build(options: argparse.Namespace) -> int:
    from fieldcrm.geo.packs import SUFFIX
    from fieldcrm.geo.region import build_pack

    extract: Path = options.extract
    out = options.out or extract.with_name(extract.name.removesuffix(".osm.pbf") + SUFFIX)
    built = build_pack(extract, out, name=options.name, on_progress=_percent)
    print(file=sys.stderr)
    print(words.tr(
        "{file}: {tiles} tiles of the map, {outlets} outlets, {streets} streets, {junctions} road junctions, {size}.",
        file=out, tiles=words.number(built.tiles), outlets=words.number(built.outlets),
        streets=words.number(built.streets), junctions=words.number(built.junctions), size=words.size(built.bytes),
    ))
    return DONE


def _percent(done: int, parts: int) -> None:
    print(f"\r{done / max(1, parts):4.0%}", end="", file=sys.stderr, flush=True)


def _maps(options: argparse.Namespace) -> Path:
    from fieldcrm.app import default_profile
    from fieldcrm.usecases.regions import FOLDER

    profile: Path = options.profile or default_profile()
    return profile / FOLDER


def _region_install(options: argparse.Namespace) -> int:
    from fieldcrm.geo.packs import install

    done = install(options.pack, _maps(options), on_progress=_percent)
    print(file=sys.stderr)
    print(words.tr("{name} is installed. The program shows it when it is next opened.", name=done.name))
    if done.outlets:
        print(words.trn("It brings {n} outlet: import the pack under Outlet base, Imports.",
                        "It brings {n} outlets: import the pack under Outlet base, Imports.", done.outlets))
    return DONE


def _region_list(options: argparse.Namespace) -> int:
    from fieldcrm.geo.packs import installed

    found = installed(_maps(options))
    for pack in found:
        print(f"{pack.name}  {words.size(pack.bytes)}  {pack.path}")
    if not found:
        print(words.tr("No region is installed."))
    return DONE


def _form(options: argparse.Namespace) -> int:
    from fieldcrm.forms import load_form
    from fieldcrm.forms.compile import compile_xlsform

    try:
        workbook = options.workbook.read_bytes()
    except OSError as error:
        raise Unavailable("file_unreadable", path=options.workbook.name, reason=error.strerror or "") from error
    xform = compile_xlsform(workbook)
    questions = sum(1 for _ in load_form(xform).questions())
    if options.out:
        options.out.write_bytes(xform)
    print(words.trn("The form is sound: {n} question.", "The form is sound: {n} questions.", questions))
    return DONE


def _rescue(options: argparse.Namespace) -> int:
    from fieldcrm.store.keys import KeyPlace
    from fieldcrm.usecases import rescuing

    key = rescuing.key_of(
        options.source,
        passphrase=lambda: _secret(options.passphrase_file, words.tr("Passphrase of the profile: ")),
        code=lambda: _secret(options.code_file, words.tr("Recovery code: ")),
    )
    if options.into is None:
        report = rescuing.look(options.source, key)
    else:
        place = KeyPlace.KEYRING if options.new_passphrase_file is None else KeyPlace.PASSPHRASE
        new = "" if options.new_passphrase_file is None else _secret(options.new_passphrase_file, "")
        now = datetime.now(UTC)
        report = rescuing.rescue(options.source, key, options.into, place, passphrase=new, now=now)
    if options.json:
        print(json.dumps(asdict(report) | {"whole": report.whole}, ensure_ascii=False))
    else:
        _show_rescue(report, options.into)
    return DONE if report.whole else DAMAGED


def _show_rescue(report: Report, into: Path | None) -> None:
    tr, trn = words.tr, words.trn
    print(trn("{n} change found", "{n} changes found", report.operations))
    for name, count in report.by_collection.items():
        print(f"  {name}: {count}")
    print(trn("{n} draft found", "{n} drafts found", report.drafts))
    print(trn("{n} photo found", "{n} photos found", report.photos))
    if report.photos_missing:
        print(tr("Photos that are named and not here: {n}. Headquarters may have them.", n=report.photos_missing))
    if report.photos_damaged:
        print(tr("Photos that are damaged: {n}", n=report.photos_damaged))
    if report.erased:
        print(tr("Values of people who were erased: {n}. Nobody can read them any more.", n=report.erased))
    if report.incomplete:
        print(tr("Changes of which a part is missing: {n}", n=report.incomplete))
    for one in report.damage:
        where = {"file": one.segment, "offset": one.offset, "reason": one.reason}
        print(tr("Damaged: {file}, from byte {offset} ({reason})", **where))
    if into is None:
        print(tr("Nothing was written. Give --into DIR to rebuild the device there."))
    else:
        print(tr("Rebuilt in {folder}. Open it, sign in, and sync: nothing is done twice.", folder=into))


def _bundle_export(options: argparse.Namespace) -> int:
    from fieldcrm.usecases import bundles

    with _profile(options) as (db, photos):
        done = bundles.export(db, photos, options.folder, now=datetime.now(UTC))
    print(words.tr("{file}: {changes} changes, {photos} photos. Carry it to headquarters.", file=done.path,
                   changes=done.operations, photos=done.photos))
    return DONE


def _bundle_import(options: argparse.Namespace) -> int:
    from fieldcrm.usecases import bundles

    with _profile(options) as (db, photos):
        done = bundles.take_answer(db, photos, options.file, now=datetime.now(UTC))
    print(words.tr("Answered: {answered}, refused: {refused}, photos verified: {photos}", answered=done.answered,
                   refused=done.refused, photos=done.photos))
    if done.again:
        print(words.tr("Headquarters asks for another bundle: export again and carry it."))
    if done.network:
        print(words.tr("From here only a sync over the network goes on. What waits is safe on this device."))
    return DONE


@contextmanager
def _profile(options: argparse.Namespace) -> Iterator[tuple[Database, PhotoStore]]:
    """The workspace, for one command. Raises ``DomainError("profile_in_use")`` while the program has it open."""
    from fieldcrm.app import default_profile
    from fieldcrm.store.database import Database
    from fieldcrm.store.journal import FOLDER, LOCK_FILE, file_lock
    from fieldcrm.store.keys import KeyPlace, key_place, load_key
    from fieldcrm.store.photos import PhotoStore

    folder: Path = options.profile or default_profile()
    asked = key_place(folder) is KeyPlace.PASSPHRASE
    passphrase = _secret(options.passphrase_file, words.tr("Passphrase of the profile: ")) if asked else ""
    key = load_key(folder, passphrase=passphrase)
    (folder / FOLDER).mkdir(exist_ok=True)
    taken = file_lock(folder / FOLDER / LOCK_FILE)
    if taken is None:
        raise DomainError("profile_in_use")
    os.close(taken)
    db = Database.open(folder, key, now=datetime.now(UTC))
    try:
        yield db, PhotoStore(folder / "photos", key)
    finally:
        db.close()


def _secret(path: Path | None, question: str) -> str:
    if path is None:
        import getpass

        try:
            return getpass.getpass(question)
        except EOFError as error:  # nobody there to be asked: a script, or a closed terminal
            raise DomainError("secret_missing") from error
    try:
        return path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError as error:  # a photo, or what a word processor saves
        raise DomainError("secret_no_text", path=str(path)) from error
    except OSError as error:
        raise Unavailable("file_unreadable", path=str(path), reason=error.strerror or "") from error


def _gallery(options: argparse.Namespace) -> int:
    from fieldcrm.ui.gallery import main as show_gallery

    return show_gallery(["fieldcrm gallery"])


def _server(options: argparse.Namespace) -> int:
    from fieldcrm.serve import main as serve

    return serve(options.rest)
