"""The manager's screen: figures that open down to their reports, and the review of reports."""

from fieldcrm.ui.review.screen import ReviewScreen

__all__ = ["ReviewScreen"]
