"""A PostgreSQL cluster of its own for the tests: made in a temporary folder, thrown away afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SETTINGS = "-c listen_addresses= -c max_connections=60"
CARELESS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


def programs() -> Path | None:
    """The folder of ``initdb`` and ``pg_ctl``, or None where PostgreSQL is not installed."""
    on_path = shutil.which("pg_ctl")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name), reverse=True)
    folders += [Path(found).parent for found in sorted(Path("/usr").glob("pgsql-*/bin/initdb"), reverse=True)]
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@contextmanager
def cluster(*, durable: bool = False) -> Iterator[str]:
    """The address of an empty database on a fresh cluster, reached through a socket in its folder.

    ``durable``: commits reach the disk, as in production; for measurements.
    """
    found = programs()
    if found is None:
        raise FileNotFoundError("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="fieldcrm-pg-"))
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
    folder.chmod(0o755)
    data = folder / "data"
    try:
        _run(found / "initdb", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "-D", str(data))
        log = str(folder / "log")
        settings = SETTINGS if durable else f"{SETTINGS} {CARELESS}"
        _run(found / "pg_ctl", "-D", str(data), "-l", log, "-w", "-o", f"-k {folder} {settings}", "start")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            _run(found / "pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def fresh_database(address: str) -> Iterator[str]:
    """A new, empty database on the cluster; dropped afterwards."""
    import psycopg

    name = f"t{uuid.uuid4().hex[:12]}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield address.replace("/postgres?", f"/{name}?")
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _run(program: Path, *arguments: str) -> None:
    command = [str(program), *arguments]
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    # Not a pipe: the cluster would keep it open and hold up the reader.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd="/")
        output.seek(0)
        if done.returncode:
            raise RuntimeError(f"{program.name}: {output.read().decode(errors='replace')[-2000:]}")
