"""Imports: what came in before, and a new one step by step."""

from fieldcrm.ui.steward.imports.page import ImportsPage

__all__ = ["ImportsPage"]
