"""The one error that the server answers with: an HTTP status, a code and parameters."""

from __future__ import annotations

from typing import Any


class CallRefused(Exception):
    """Not done, and why; ``retry_after`` in seconds when trying again makes sense."""

    def __init__(self, status: int, code: str, /, *, retry_after: int | None = None, **params: Any) -> None:
        super().__init__(code, params)
        self.status = status
        self.code = code
        self.params = params
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.code}({', '.join(f'{name}={value!r}' for name, value in self.params.items())})"
