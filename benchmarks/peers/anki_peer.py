"""Anki's own sync server and client, timed on the same rows: run by ``peers.py`` inside Anki's environment.

Two collections share one account. The first gets 10k notes (each comes with a card, so 20k objects) and sends them by a
normal sync; the second fetches them by a normal sync. The first full upload, of nothing, is not counted.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from anki.collection import Collection
from anki.sync_pb2 import SyncAuth

FIELDS = 12


def main(rows_file: str) -> None:
    rows = json.loads(Path(rows_file).read_text("utf-8"))
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        environment = {**os.environ, "SYNC_USER1": "rep:secret", "SYNC_BASE": f"{folder}/server",
                       "SYNC_HOST": "127.0.0.1", "SYNC_PORT": str(port), "MAX_SYNC_PAYLOAD_MEGS": "1000"}
        server = subprocess.Popen([sys.executable, "-m", "anki.syncserver"], env=environment,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait(port)
            print(json.dumps(_measure(Path(folder), f"http://127.0.0.1:{port}/", rows)))
        finally:
            server.kill()
            server.wait()


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("Anki's server did not start")


def _measure(folder: Path, url: str, rows: list[dict[str, object]]) -> dict[str, float]:
    one, two = Collection(str(folder / "one.anki2")), Collection(str(folder / "two.anki2"))
    kind = _note_type(one)
    auth = one.sync_login("rep", "secret", url)
    _full(one, auth, upload=True)
    _full(two, auth, upload=False)
    deck = one.decks.id("Default")
    for row in rows:
        note = one.new_note(one.models.get(kind))
        note.fields = [str(value) for value in row.values()][:FIELDS]
        one.add_note(note, deck)
    push = _timed(one, auth)
    pull = _timed(two, auth)
    assert two.note_count() == len(rows), two.note_count()
    quiet = _timed(two, auth)
    count = len(rows)
    return {"rows": count, "push_rows_s": count / push, "pull_rows_s": count / pull, "quiet_ms": quiet * 1000}


def _note_type(collection: Collection) -> int:
    models = collection.models
    kind = models.new("customer")
    for number in range(FIELDS):
        models.add_field(kind, models.new_field(f"f{number}"))
    template = models.new_template("card")
    template["qfmt"], template["afmt"] = "{{f0}}", "{{f1}}"
    models.add_template(kind, template)
    return models.add_dict(kind).id


def _full(collection: Collection, auth: SyncAuth, *, upload: bool) -> None:
    collection.sync_collection(auth, False)
    collection.close_for_full_sync()
    collection.full_upload_or_download(auth=auth, server_usn=None, upload=upload)
    collection.reopen(after_full_sync=True)


def _timed(collection: Collection, auth: SyncAuth) -> float:
    started = time.perf_counter()
    answer = collection.sync_collection(auth, False)
    took = time.perf_counter() - started
    assert answer.required == answer.NO_CHANGES, answer  # a normal sync was enough
    return took


if __name__ == "__main__":
    main(sys.argv[1])
