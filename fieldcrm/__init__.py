"""FieldCRM: outlets, visits, shelf audits and route plans, offline first."""

__version__ = "0.1.0"
