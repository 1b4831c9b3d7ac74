"""Outlets that the base has twice: pairs by likelihood, side by side, merged or told apart, and taken apart again."""

from fieldcrm.ui.steward.duplicates.page import DuplicatesPage

__all__ = ["DuplicatesPage"]
