"""Writes docs/openapi.json from the routes: ``python -m tests.golden.openapi``."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from fieldcrm.server.headquarters import open_headquarters
from sync.protocol import PROTOCOL_VERSION
from sync.server.http import build_routes

FILE = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        hq = open_headquarters(Path(folder), None, lambda: datetime.now(UTC))
        try:
            app = build_routes(hq.parts(), title="FieldCRM server", version=str(PROTOCOL_VERSION))
            text = json.dumps(json.loads(app.state.description), indent=1, sort_keys=True, ensure_ascii=False)
        finally:
            hq.close()
    FILE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
