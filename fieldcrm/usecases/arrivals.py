"""What follows from rows that came from headquarters, in the transaction that writes them."""

from __future__ import annotations

from contextlib import AbstractContextManager

from fieldcrm.store import replica as _replica
from fieldcrm.store import reviews as _reviews
from fieldcrm.store import unimports as _unimports
from fieldcrm.store.database import Transaction
from fieldcrm.usecases import erasing
from sync.client.local import LocalTransaction
from sync.client.touched import Touched


def in_bulk(tx: LocalTransaction) -> AbstractContextManager[None]:
    """Around the writing of many rows that came."""
    assert isinstance(tx, Transaction)
    return _replica.indexed_in_bulk(tx)


def after_apply(tx: LocalTransaction, touched: Touched) -> None:
    """What is derived from rows that came: observations of reports, and which of them count."""
    from fieldcrm.usecases.visits import project_submissions  # and the forms with it, when something arrives

    assert isinstance(tx, Transaction)
    if "erasure" in touched:
        erasing.follow_orders(tx, touched["erasure"])
    if "import_batch" in touched:
        _unimports.drop_refused(tx)
    reports = touched.get("submission", set())
    if reports:
        _replica.forget_observations(tx, reports)
    if "form" in touched:
        project_submissions(tx)  # reports that had come before their form
    elif reports:
        project_submissions(tx, reports)
    reviews = touched.get("review", set())
    if reviews:
        _reviews.refresh_current(tx, _replica.reports_of(tx, reviews))
