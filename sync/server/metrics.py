"""What the server counts, for Prometheus. No label names a person, a device or an organisation."""

from __future__ import annotations

from collections import Counter as Tally

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from sync.protocol import SyncRequest, SyncResponse


class Metrics:
    def __init__(self) -> None:
        self._registry = CollectorRegistry()
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

    def text(self) -> bytes:
        return generate_latest(self._registry)
