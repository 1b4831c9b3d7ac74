"""The way to a geocoder: limited in size, in time, and to the server that was named.

Proxies are those that the surroundings of the program name (HTTPS_PROXY, NO_PROXY), as for the sync.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from time import monotonic
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from geopy.adapters import AdapterHTTPError, BaseSyncAdapter, get_retry_after
from geopy.exc import GeocoderRateLimited, GeocoderServiceError, GeocoderTimedOut, GeocoderUnavailable
from geopy.geocoders.base import ERROR_CODE_MAP

from fieldcrm.geo.answers import Strange

MAX_ANSWER = 1024 * 1024  # bytes, for one address
MAX_TABLE = 16 * 1024 * 1024  # bytes, for a table of addresses
WHOLE_S = 60.0  # for a whole answer, however it comes
REDIRECTS = 3


class CarefulAdapter(BaseSyncAdapter):  # type: ignore[misc]
    """What geopy sends its requests through. ``timeout``: seconds to connect, and without a byte."""

    def __init__(self, timeout: tuple[float, float]) -> None:
        super().__init__(proxies=None, ssl_context=None)
        self._timeout = timeout
        self._session = requests.Session()
        self._session.auth = lambda request: request  # else a name and password from ~/.netrc go along

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def get_text(self, url: str, *, timeout: object, headers: Mapping[str, str]) -> str:
        return self._send("GET", url, headers, MAX_ANSWER).decode("utf-8", "replace")

    def get_json(self, url: str, *, timeout: object, headers: Mapping[str, str]) -> Any:
        try:
            return json.loads(self._send("GET", url, headers, MAX_ANSWER))
        except (ValueError, RecursionError) as error:
            raise Strange("no JSON") from error

    def post(self, url: str, form: Any, files: Any, headers: Mapping[str, str]) -> bytes:
        """What geopy does not do itself; its failures are named as geopy names them."""
        try:
            return self._send("POST", url, headers, MAX_TABLE, data=form, files=files)
        except AdapterHTTPError as error:
            if error.status_code == 429:
                raise GeocoderRateLimited(str(error), retry_after=get_retry_after(error.headers)) from error
            named = ERROR_CODE_MAP.get(error.status_code, GeocoderServiceError)
            raise named(str(error)) from error

    def _send(self, method: str, url: str, headers: Mapping[str, str], most: int, **more: Any) -> bytes:
        for _ in range(REDIRECTS + 1):
            answer = self._once(method, url, headers, most, **more)
            if isinstance(answer, bytes):
                return answer
            url = answer
        raise Strange("redirected in circles")

    def _once(self, method: str, url: str, headers: Mapping[str, str], most: int, **more: Any) -> bytes | str:
        """The body, or where else to ask on the same server."""
        try:
            with self._session.request(
                method, url, headers=dict(headers), timeout=self._timeout, stream=True, allow_redirects=False, **more,
            ) as answer:
                if answer.is_redirect or answer.is_permanent_redirect:
                    return self._elsewhere(url, answer.headers.get("location", ""))
                body = self._read(answer, most)
                if answer.status_code >= 400:
                    said = {name.lower(): value for name, value in answer.headers.items()}
                    text = body[:500].decode("utf-8", "replace")
                    raise AdapterHTTPError(
                        f"status {answer.status_code}", status_code=answer.status_code, headers=said, text=text)
                return body
        except requests.Timeout as error:
            raise GeocoderTimedOut(str(error)) from error
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise GeocoderUnavailable(str(error)) from error
        except urllib3.exceptions.HTTPError as error:  # the body is read past requests
            raise GeocoderUnavailable(str(error)) from error
        except requests.RequestException as error:
            raise GeocoderServiceError(str(error)) from error

    def _read(self, answer: requests.Response, most: int) -> bytes:
        pieces: list[bytes] = []
        size, until = 0, monotonic() + WHOLE_S
        while piece := answer.raw.read1(64 * 1024, decode_content=True):  # what is there, however little
            pieces.append(piece)
            size += len(piece)
            if size > most:
                raise Strange("too long an answer")
            if monotonic() > until:
                raise GeocoderTimedOut("the answer came too slowly")
        return b"".join(pieces)

    def _elsewhere(self, url: str, location: str) -> str:
        """An address is a customer's: it follows no redirect to another server, nor off an encrypted line."""
        before, after = urlsplit(url), urlsplit(urljoin(url, location))
        same = (before.hostname, before.port) == (after.hostname, after.port)
        upward = before.hostname == after.hostname and after.scheme == "https"
        if not location or not (upward or (same and after.scheme == before.scheme)):
            raise Strange("redirected to another server")
        return after.geturl()
