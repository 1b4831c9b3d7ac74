"""What the server counts, for Prometheus. No label names a person, a device or an organisation.

Each process counts for itself and answers for itself: with several of them on one computer each has a port of its
own for Prometheus to ask, and sums are made there. ``GAUGES`` stand in the database and are the same in all.
"""

from __future__ import annotations

import threading
from collections import Counter as Tally
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from sync.protocol import SyncRequest, SyncResponse

GAUGES = {
    "sync_database_pool_used": "Connections to the database in use now.",
    "sync_database_pool_idle": "Connections to the database that wait to be used.",
    "sync_organisations": "Organisations on this server.",
    "sync_organisations_stopped": "Organisations stopped, because their devices know more than the database.",
    "sync_quarantine_bytes": "Bytes that revoked devices left and nobody has looked at.",
    "sync_quarantine_deposits": "How many times a revoked device left something that is still there.",
    "sync_backup_age_seconds": "Age of the last verified backup that holds every organisation; absent without one.",
}


class Metrics:
    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._gauges: dict[str, Gauge] = {}
        self._lock = threading.Lock()
        self.requests = Counter(
            "sync_requests", "Requests by route and status.", ["route", "method", "status"], registry=self._registry
        )
        self.seconds = Histogram("sync_request_seconds", "Time to answer.", ["route"], registry=self._registry)
        self.running = Gauge("sync_requests_running", "Requests being answered now.", registry=self._registry)
        self.operations = Counter(
            "sync_operations", "Operations received, by what became of them.", ["status"], registry=self._registry
        )
        self.controls = Counter(
            "sync_controls", "Syncs answered with a control code.", ["code"], registry=self._registry
        )
        self.rows = Counter("sync_rows_sent", "Rows sent to devices.", registry=self._registry)
        self.blob_bytes = Counter("sync_blob_bytes", "Bytes of blobs.", ["direction"], registry=self._registry)
        self.sign_ins = Counter("sync_sign_ins", "Sign-ins by result.", ["result"], registry=self._registry)

    def synced(self, request: SyncRequest, response: SyncResponse) -> None:
        if response.control is not None:
            self.controls.labels(response.control).inc()
        for status, count in Tally(result.s for result in response.results).items():
            self.operations.labels(status).inc(count)
        if response.pull is not None:
            self.rows.inc(sum(len(rows) for page in response.pull.pages for rows in page.put.values()))

    def text(self, gauges: Mapping[str, float]) -> bytes:
        """Everything in Prometheus' text form; of ``GAUGES`` those that are given."""
        for name, value in gauges.items():
            with self._lock:
                if name not in self._gauges:
                    self._gauges[name] = Gauge(name, GAUGES[name], registry=self._registry)
            self._gauges[name].set(value)
        return generate_latest(self._registry)
