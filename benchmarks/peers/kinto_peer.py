"""Kinto on PostgreSQL, timed on the same rows: python kinto_peer.py URL ROWS.json, in any environment with requests."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import requests

BATCH = 500


def main(url: str, rows_file: str) -> None:
    rows = json.loads(Path(rows_file).read_text("utf-8"))
    session = requests.Session()
    session.auth = ("rep", "secret")
    session.put(f"{url}/buckets/crm").raise_for_status()
    session.put(f"{url}/buckets/crm/collections/customers").raise_for_status()
    records = "/v1/buckets/crm/collections/customers/records"
    started = time.perf_counter()
    for at in range(0, len(rows), BATCH):
        calls = [{"method": "PUT", "path": f"{records}/{row['id']}",
                  "body": {"data": {k: v for k, v in row.items() if k != "id"}}} for row in rows[at:at + BATCH]]
        answer = session.post(f"{url}/batch", json={"requests": calls})
        answer.raise_for_status()
        assert all(one["status"] in (200, 201) for one in answer.json()["responses"]), "a record was refused"
    push = time.perf_counter() - started
    started = time.perf_counter()
    found: list[dict[str, object]] = []
    next_page: str | None = f"{url.removesuffix('/v1')}{records}?_limit=5000"
    while next_page:
        answer = session.get(next_page)
        answer.raise_for_status()
        found += answer.json()["data"]
        next_page = answer.headers.get("Next-Page")
    pull = time.perf_counter() - started
    assert len(found) == len(rows), (len(found), len(rows))
    print(json.dumps({"rows": len(rows), "push_rows_s": len(rows) / push, "pull_rows_s": len(rows) / pull}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
