"""Our sync and its peers on the same rows in one run, over loopback HTTP: push and pull, in rows per second.

The peers live in their own folder, made once (``--folder``): Anki's sync server, PouchDB with express-pouchdb, and
Kinto on PostgreSQL. They are other people's programs under their own licences: measured here, nothing of them is used.
Kinto gets ``--kinto-rows`` only: ten thousand would take minutes. Prints one JSON object with the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]

import customers  # noqa: E402

from tests.postgres import cluster  # noqa: E402

ANKI, KINTO = "anki==26.9.3", "kinto[postgresql]==26.5.0"
POUCH = ("pouchdb@9.0.0", "express-pouchdb@4.2.0")
KINTO_INI = """
[server:main]
use = egg:waitress#main
host = 127.0.0.1
port = {port}
threads = 4
[app:main]
use = egg:kinto
kinto.storage_backend = kinto.core.storage.postgresql
kinto.storage_url = {database}
kinto.permission_backend = kinto.core.permission.postgresql
kinto.permission_url = {database}
kinto.cache_backend = kinto.core.cache.memory
kinto.batch_max_requests = 1000
kinto.paginate_by = 5000
kinto.storage_max_fetch_size = 100000
kinto.bucket_create_principals = system.Everyone
kinto.userid_hmac_secret = measurement
multiauth.policies = basicauth
"""


def prepare(folder: Path) -> None:
    """Install the peers, each in an environment of its own."""
    for name, package in (("anki", ANKI), ("kinto", KINTO)):
        if not (folder / name).exists():
            venv.create(folder / name, with_pip=True)
            subprocess.run([folder / name / "bin" / "python", "-m", "pip", "install", "-q", package], check=True)
    pouch = folder / "pouch"
    if not (pouch / "node_modules").exists():
        pouch.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "init", "-y"], cwd=pouch, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["npm", "install", "--silent", *POUCH], cwd=pouch, check=True)


def anki(folder: Path, rows: Path) -> dict[str, Any]:
    return _json([folder / "anki" / "bin" / "python", HERE / "anki_peer.py", rows])


def pouch(folder: Path, rows: Path) -> dict[str, Any]:
    port = _free_port()
    environment = {**os.environ, "NODE_PATH": str(folder / "pouch" / "node_modules")}
    with tempfile.TemporaryDirectory() as data:
        served, held = Path(data, "server"), Path(data, "client")
        served.mkdir()
        held.mkdir()
        with _running(["node", HERE / "pouch_server.js", port, served], port, environment):
            return _json(["node", HERE / "pouch_peer.js", port, held, rows], environment)


def kinto(folder: Path, rows: Path) -> dict[str, Any]:
    port, program = _free_port(), folder / "kinto" / "bin"
    with cluster(durable=True) as address, tempfile.TemporaryDirectory() as data:
        ini = Path(data, "kinto.ini")
        ini.write_text(KINTO_INI.format(port=port, database=address), "utf-8")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([program / "kinto", "migrate", "--ini", ini], check=True, **quiet)
        with _running([program / "kinto", "start", "--ini", ini], port, dict(os.environ)):
            return _json([sys.executable, HERE / "kinto_peer.py", f"http://127.0.0.1:{port}/v1", rows])


def ours(count: int) -> dict[str, Any]:
    push = _json([sys.executable, HERE.parent / "push.py", "--rows", count, "--postgresql"])
    pull = _json([sys.executable, HERE.parent / "pull.py", "--rows", count])
    return {"push": push, "pull": pull}


def _json(command: list[Any], environment: dict[str, str] | None = None) -> dict[str, Any]:
    done = subprocess.run([str(part) for part in command], env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{Path(str(command[1])).name} failed with {done.returncode}")
    return json.loads(done.stdout[done.stdout.index("{"):])


@contextmanager
def _running(command: list[Any], port: int, environment: dict[str, str]) -> Iterator[None]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([str(part) for part in command], env=environment, **quiet)
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                time.sleep(0.1)
        yield
    finally:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--kinto-rows", type=int, default=1000)
    parser.add_argument("--folder", type=Path, default=Path.home() / ".cache" / "fieldcrm-peers")
    choices = parser.parse_args()
    missing = [program for program in ("node", "npm") if shutil.which(program) is None]
    if missing:
        raise SystemExit(f"needs {', '.join(missing)} for PouchDB")
    choices.folder.mkdir(parents=True, exist_ok=True)
    prepare(choices.folder)
    with tempfile.TemporaryDirectory() as data:
        whole, few = Path(data, "rows.json"), Path(data, "few.json")
        whole.write_text(json.dumps(customers.rows(choices.rows), ensure_ascii=False), "utf-8")
        few.write_text(json.dumps(customers.rows(choices.kinto_rows), ensure_ascii=False), "utf-8")
        found = {"ours": ours(choices.rows), "anki": anki(choices.folder, whole),
                 "pouchdb": pouch(choices.folder, whole), "kinto": kinto(choices.folder, few)}
    print(json.dumps({"what": "sync beside its peers", **found, "ratios": ratios(found)}, indent=2))


def ratios(found: dict[str, Any]) -> dict[str, float]:
    """Ours divided by theirs: more than 1 is faster than the peer."""
    sqlite, postgresql = found["ours"]["push"]["sqlite"], found["ours"]["push"]["postgresql"]
    pull = found["ours"]["pull"]["rows_s"]
    return {
        "push_to_anki": sqlite["rows_s"] / found["anki"]["push_rows_s"],
        "push_to_pouchdb": sqlite["rows_s"] / found["pouchdb"]["push_rows_s"],
        "push_postgresql_to_kinto": postgresql["rows_s"] / found["kinto"]["push_rows_s"],
        "pull_to_anki": pull / found["anki"]["pull_rows_s"],
        "pull_to_pouchdb": pull / found["pouchdb"]["pull_rows_s"],
        "pull_to_kinto": pull / found["kinto"]["pull_rows_s"],
    }


if __name__ == "__main__":
    main()
