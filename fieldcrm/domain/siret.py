"""The check digit of a SIREN and a SIRET."""

from __future__ import annotations

# Each figure doubled, the figures of a result above nine summed; for bytes.translate.
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))


def luhn(digits: str) -> bool:
    """The check of ISO/IEC 7812-1, annex B: every second figure from the right counts double, its figures summed."""
    figures = digits.encode("ascii")[::-1]
    plain_ones, doubled = figures[::2], figures[1::2].translate(_DOUBLED)
    return (sum(plain_ones) - 48 * len(plain_ones) + sum(doubled)) % 10 == 0
