"""What comes back over HTTP: its body within limits, why none came, and how long a busy server asks to be left."""

from __future__ import annotations

import math
import zlib
from email.utils import parsedate_to_datetime

import requests
import zstandard
from requests.exceptions import SSLError

from sync.client.failures import STALLED, BadAddress, BadCertificate, Offline, RemoteFailure, ServerError

MAX_ANSWER = 64 * 1024 * 1024  # bytes as they come over the line
MAX_PLAIN = 256 * 1024 * 1024  # bytes once unpacked
_WINDOW = 8 * 1024 * 1024  # bytes; an answer may not ask for more memory than this to be unpacked
_LONGEST_WAIT, _USUAL_WAIT = 3600, 30  # seconds


def body_of(answer: requests.Response) -> bytes:
    """All of it, unpacked. Raises ``Offline`` when it was cut, ``ServerError`` when it is damaged or too large."""
    raw = bytearray()
    for piece in answer.raw.stream(256 * 1024, decode_content=False):
        raw += piece
        if len(raw) > MAX_ANSWER:
            raise ServerError("answer_too_large", limit=MAX_ANSWER)
    expected = answer.headers.get("Content-Length")
    if expected is not None and expected.isdigit() and len(raw) < int(expected) and answer.request.method != "HEAD":
        raise Offline(reason="answer cut short")
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding == "identity":
        return bytes(raw)
    if encoding not in ("zstd", "gzip"):
        raise BadAddress(url=answer.url)
    return _decompressed(bytes(raw)) if encoding == "zstd" else _gunzipped(bytes(raw))


def _gunzipped(raw: bytes) -> bytes:
    """What a proxy has packed anew for us."""
    worker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        plain = worker.decompress(raw, MAX_PLAIN + 1)
    except zlib.error as error:
        raise ServerError("answer_damaged") from error
    if len(plain) > MAX_PLAIN:
        raise ServerError("answer_too_large", limit=MAX_PLAIN)
    if not worker.eof:
        raise Offline(reason="answer cut short")
    return plain


def _decompressed(raw: bytes) -> bytes:
    plain = bytearray()
    worker = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
    try:
        for position in range(0, len(raw), 1024):  # 1 kB of a bomb makes at most some tens of megabytes
            plain += worker.decompress(raw[position : position + 1024])
            if len(plain) > MAX_PLAIN:
                raise ServerError("answer_too_large", limit=MAX_PLAIN)
            if worker.eof:
                break
    except zstandard.ZstdError as error:
        raise ServerError("answer_damaged") from error
    if not worker.eof:
        raise Offline(reason="answer cut short")
    return bytes(plain)


def reason_of(error: Exception) -> str:
    """STALLED for a line on which nothing came or went for too long, once it stood."""
    text = f"{type(error).__name__} {error}"
    stalled = "timed out" in text.lower() and "ConnectTimeout" not in text
    return STALLED if stalled else type(error).__name__


def certificate_failure(error: SSLError, url: str) -> RemoteFailure:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text or "doesn't match" in text or "certificate" in text.lower():
        return BadCertificate(url=url)
    if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER_FAILURE" in text:
        return BadAddress(url=url)  # plain HTTP answers on this port
    return Offline(reason="SSLError")


def retry_after(answer: requests.Response) -> int:
    """Seconds to wait, from 1 to an hour; half a minute when the server does not say, or says it so that nobody knows.

    A date is measured from the server's own Date: this device's clock may be years off.
    """
    value = answer.headers.get("Retry-After", "")
    if value.isascii() and value.isdigit() and len(value) < 10:
        return max(1, min(int(value), _LONGEST_WAIT))
    try:
        until, said = (parsedate_to_datetime(text) for text in (value, answer.headers.get("Date", "")))
        return max(1, min(math.ceil((until - said).total_seconds()), _LONGEST_WAIT))
    except (TypeError, ValueError, IndexError, OverflowError):
        return _USUAL_WAIT
