"""The organisation's own fields: what is asked of every outlet besides what every organisation asks."""

from fieldcrm.ui.steward.fields.page import FieldsPage

__all__ = ["FieldsPage"]
