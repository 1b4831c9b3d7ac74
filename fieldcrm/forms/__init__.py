"""Questionnaires: XLSForm and XForm read, evaluated and projected. No Qt, no database.

``load_form`` turns XForm XML into a frozen ``Form``; ``Instance`` holds the answers of one report and keeps what
depends on them up to date; ``project`` makes the typed observations that figures are counted from, alike on device
and server.
"""

from __future__ import annotations

from fieldcrm.forms.grid import Grid, grid_of
from fieldcrm.forms.instance import Instance
from fieldcrm.forms.load import load_form
from fieldcrm.forms.model import Form
from fieldcrm.forms.observations import Observation, PlannedTask, planned_tasks, project, visit_note
from fieldcrm.forms.problems import Problem

__all__ = [
    "Form",
    "Grid",
    "Instance",
    "Observation",
    "PlannedTask",
    "Problem",
    "grid_of",
    "load_form",
    "planned_tasks",
    "project",
    "visit_note",
]
