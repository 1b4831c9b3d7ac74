"""The widgets that every screen is built of, seen together in ``fieldcrm.ui.gallery``."""

from fieldcrm.ui.widgets.badges import Avatar, Badge, Chip
from fieldcrm.ui.widgets.buttons import Button, IconButton
from fieldcrm.ui.widgets.card import Card, Disc, Divider
from fieldcrm.ui.widgets.charts import ProgressRing, ShareBar, Sparkline
from fieldcrm.ui.widgets.dialogs import Confirm, Dialog
from fieldcrm.ui.widgets.fields import DateField, Field, NumberField, SearchField, SegmentedControl, Switch
from fieldcrm.ui.widgets.inline_message import InlineMessage
from fieldcrm.ui.widgets.layouts import FlowLayout, ScrollPage, clear_layout, column, row
from fieldcrm.ui.widgets.lists import ID_ROLE, ROW_ROLE, Column, PageModel
from fieldcrm.ui.widgets.page_table import PageTable, RowList
from fieldcrm.ui.widgets.rows import TwoLine, TwoLineDelegate
from fieldcrm.ui.widgets.stat_tile import StatTile
from fieldcrm.ui.widgets.states import Emblem, EmptyState, Skeleton, StateStack
from fieldcrm.ui.widgets.text import ElidedText, KeyCap, SectionTitle, Tabs, Text, plain

__all__ = [
    "ID_ROLE",
    "ROW_ROLE",
    "Avatar",
    "Badge",
    "Button",
    "Card",
    "Chip",
    "Column",
    "Confirm",
    "DateField",
    "Dialog",
    "Disc",
    "Divider",
    "ElidedText",
    "Emblem",
    "EmptyState",
    "Field",
    "FlowLayout",
    "IconButton",
    "InlineMessage",
    "KeyCap",
    "NumberField",
    "PageModel",
    "PageTable",
    "ProgressRing",
    "RowList",
    "ScrollPage",
    "SearchField",
    "SectionTitle",
    "SegmentedControl",
    "ShareBar",
    "Skeleton",
    "Sparkline",
    "StatTile",
    "StateStack",
    "Switch",
    "Tabs",
    "Text",
    "TwoLine",
    "TwoLineDelegate",
    "clear_layout", "column",
    "plain",
    "row",
]
