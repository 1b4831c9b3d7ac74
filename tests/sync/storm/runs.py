"""Running seeds: one by one, in a folder that is thrown away, with the seed named when it breaks something."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.sync.storm.history import Storm
from tests.sync.storm.stores import make_device_template, make_server_template


@dataclass(frozen=True, slots=True)
class Templates:
    """Empty databases, made once and copied for every history."""

    folder: Path
    server: Path
    device: Path

    @classmethod
    def make(cls, folder: Path) -> Templates:
        return cls(folder, make_server_template(folder), make_device_template(folder / "device.db"))


def run(seed: int, templates: Templates) -> Storm:
    """One history; raises what it broke, with the seed."""
    folder = Path(tempfile.mkdtemp(dir=templates.folder, prefix=f"{seed}-"))
    storm = Storm(seed, folder, templates.server, templates.device)
    try:
        storm.run()
    except Exception as error:
        raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}") from error
    finally:
        storm.close()
        shutil.rmtree(folder)
    return storm


def total(counts: Counter[str]) -> str:
    """What happened, in one line: messages, stops, and what the administrator and bad luck did."""
    return ", ".join(f"{count} {name.lstrip('_').replace('_', ' ')}" for name, count in sorted(counts.items()))
