"""The report of a rep's day as a PDF: one page of A4 or more, laid out by QTextDocument, to print or to send."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMarginsF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QPageLayout, QPageSize, QPainter, QPdfWriter, QTextDocument

from fieldcrm import words
from fieldcrm.domain.errors import Unavailable
from fieldcrm.domain.ids import Id
from fieldcrm.ui import report_words, theme
from fieldcrm.ui.palettes import LIGHT
from fieldcrm.ui.reasons import reasons
from fieldcrm.usecases.dayreport import DayReport, DayVisit, day_report
from fieldcrm.words import day_time, duration, number, time, tr, trn

DPI = 300
HEAD, FOOT = 44.0, 26.0  # points, above and below the text of each page


def write_day_report(
    session: Any, day: date, path: Path, language: str = "fr", *, person_id: Id | None = None
) -> DayReport:
    """Write the day of the person signed in (or ``person_id``) to ``path``, in ``language``; gives what it says.

    ``session`` is an AppSession. Works without a screen. Raises ``Unavailable("disk_denied")`` when the file
    cannot be written.
    """
    now = session.clock()
    report: DayReport = session.ask(lambda r: day_report(r, person_id or session.actor.user_id, day, now=now))
    before = words.language()
    words.set_language(language)
    try:
        theme.load_fonts()
        _write(report, path, session.identity.organisation, session.identity.sample)
    finally:
        words.set_language(before)
    return report


def _write(report: DayReport, path: Path, organisation: str, sample: bool) -> None:
    try:
        path.write_bytes(b"")  # Qt says no more than "false" about a file it cannot write
    except OSError as error:
        raise Unavailable("disk_denied", path=str(path)) from error
    writer = QPdfWriter(str(path))
    writer.setResolution(DPI)
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    writer.setPageMargins(QMarginsF(16, 12, 16, 10), QPageLayout.Unit.Millimeter)
    writer.setTitle(tr("Report of the day, {person}, {day}", person=report.person, day=words.date(report.day, "long")))
    writer.setCreator("FieldCRM")
    painter = QPainter()
    if not painter.begin(writer):
        raise Unavailable("disk_denied", path=str(path))
    try:
        _paint(painter, writer, report, organisation, sample)
    finally:
        painter.end()


def _paint(painter: QPainter, writer: QPdfWriter, report: DayReport, organisation: str, sample: bool) -> None:
    unit = DPI / 72  # the document is laid out in points
    whole = writer.pageLayout().paintRectPixels(DPI).size()
    width, height = whole.width() / unit, whole.height() / unit
    document = QTextDocument()
    document.setDefaultFont(_pixels(10))
    document.setDefaultStyleSheet(_style())
    document.setDocumentMargin(0)
    document.setPageSize(QSizeF(width, height - HEAD - FOOT))
    document.setHtml(_body(report, sample))
    painter.scale(unit, unit)
    pages = document.pageCount()
    for page in range(pages):
        if page:
            writer.newPage()
        _frame(painter, width, height, report, organisation, page + 1, pages)
        painter.save()
        painter.translate(0, HEAD - page * document.pageSize().height())
        document.drawContents(painter, QRectF(0, page * document.pageSize().height(), width,
                                              document.pageSize().height()))
        painter.restore()


def _frame(
    painter: QPainter, width: float, height: float, report: DayReport, organisation: str, page: int, pages: int
) -> None:
    """The head and the foot of each page."""
    left = QRectF(0, 0, width * 0.6, 22)
    right = QRectF(width * 0.4, 0, width * 0.6, 22)
    painter.save()
    painter.fillRect(QRectF(0, 4, 9, 9), QColor(LIGHT.accent))
    painter.setFont(_pixels(8.5, QFont.Weight.DemiBold))
    painter.setPen(QColor(LIGHT.text))
    painter.drawText(left.adjusted(15, -3, 0, -3), Qt.AlignmentFlag.AlignVCenter, organisation or "FieldCRM")
    painter.setFont(_pixels(8.5))
    painter.setPen(QColor(LIGHT.muted))
    flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
    painter.drawText(right.adjusted(0, -3, 0, -3), flags, f"{report.person} · {words.date(report.day, 'medium')}")
    painter.fillRect(QRectF(0, 22, width, 0.6), QColor(LIGHT.border))
    foot = QRectF(0, height - 14, width, 14)
    painter.fillRect(QRectF(0, height - 18, width, 0.6), QColor(LIGHT.border))
    painter.setFont(_pixels(7.5))
    made = tr("Made {when} from the records of this device", when=day_time(report.made_at))
    painter.drawText(foot, Qt.AlignmentFlag.AlignVCenter, made)
    painter.drawText(foot, flags, tr("Page {n} of {all}", n=page, all=pages))
    painter.restore()


def _pixels(size: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    font = QFont(theme.FAMILY)
    font.setPixelSize(max(1, round(size)))
    font.setWeight(weight)
    font.setFeature(QFont.Tag("calt"), 0)  # its colons between digits could not be copied out of the file
    return font


def _style() -> str:
    return f"""
    body {{ color: {LIGHT.text}; }}
    h1 {{ font-size: 22px; font-weight: 600; margin: 0 0 2px 0; }}
    h2 {{ font-size: 12.5px; font-weight: 600; margin: 20px 0 6px 0; }}
    p {{ margin: 0; }}
    .muted {{ color: {LIGHT.muted}; }}
    .faint {{ color: {LIGHT.faint}; }}
    .figure {{ font-size: 19px; font-weight: 600; }}
    .ok {{ color: {LIGHT.success_text}; font-weight: 600; }}
    .wait {{ color: {LIGHT.warning_text}; font-weight: 600; }}
    .bad {{ color: {LIGHT.danger_text}; font-weight: 600; }}
    th {{ color: {LIGHT.faint}; font-size: 8.5px; font-weight: 600; text-align: left; }}
    """


def _body(report: DayReport, sample: bool) -> str:
    parts = [
        f"<h1>{escape(tr('Report of the day'))}</h1>",
        f"<p class='muted'>{escape(report.person)} · {escape(words.date(report.day, 'full'))}</p>",
    ]
    if sample:
        parts.append(f"<p class='wait'>{escape(tr('Sample data: people, products and visits are fictitious.'))}</p>")
    parts += [_figures(report), _receipt(report), _visits(report), _missing(report), _promises(report), _left(report)]
    return f"<body>{''.join(parts)}</body>"


def _figures(report: DayReport) -> str:
    """The day in five figures, side by side."""
    skipped = sum(stop.reason is not None for stop in report.skipped)
    done = tr("{part} of {all}", part=number(report.done), all=number(report.planned)) if report.planned else "–"
    cells = (
        (tr("Planned visits"), done, trn("{n} skipped", "{n} skipped", skipped) if skipped else ""),
        (tr("Visits"), number(len(report.visits)),
         trn("{n} unplanned", "{n} unplanned", report.unplanned) if report.unplanned else ""),
        (tr("Time in stores"), duration(report.minutes_in_store), ""),
        (tr("Lines checked"), number(report.lines), ""),
        (tr("Out of stock"), number(len(report.out_of_stocks)), ""),
    )
    inner = "".join(
        f"<td width='20%' bgcolor='{LIGHT.canvas}' style='padding: 9px 10px;'><p class='faint' "
        f"style='font-size: 8px;'>{escape(name)}</p><p class='figure'>{escape(value)}</p>"
        f"{_note(note, any(below for _, _, below in cells))}</td>"
        for name, value, note in cells
    )
    return f"<p style='font-size: 8px;'>&nbsp;</p><table width='100%' cellspacing='3'><tr>{inner}</tr></table>"


def _note(text: str, room: bool) -> str:
    """What is below a figure; room is kept for it where a neighbour has one."""
    return f"<p class='faint' style='font-size: 8px;'>{escape(text) or '&nbsp;'}</p>" if room else ""


def _receipt(report: DayReport) -> str:
    got, sent = report.reports
    photos_got, photos = report.photos
    words_ = tr("Headquarters has received {got} of {all} reports and {photos_got} of {photos} photos.",
                got=number(got), all=number(sent), photos_got=number(photos_got), photos=number(photos))
    kind = "ok" if report.complete else "wait"
    end = tr("Everything has arrived.") if report.complete else tr("The rest is safe on this device and waits for the "
                                                                     "next sync.")
    if not sent and not photos:
        return ""
    return f"<p style='font-size: 6px;'>&nbsp;</p><p><span class='{kind}'>{escape(words_)}</span> {escape(end)}</p>"


def _visits(report: DayReport) -> str:
    if not report.visits:
        return _section(tr("Visits"), f"<p class='muted'>{escape(tr('No visit was recorded on this day.'))}</p>")
    heads = (tr("Time"), tr("Store"), tr("Why"), tr("Lines"), tr("Photos"), tr("Headquarters"))
    rows = [_visit(visit) for visit in report.visits]
    return _section(tr("Visits"), _table(heads, rows, (15, 27, 22, 13, 8, 15)))


def _visit(visit: DayVisit) -> tuple[str, ...]:
    hours = time(visit.started_at, visit.zone)
    if visit.ended_at is not None:
        minutes = (visit.ended_at - visit.started_at).total_seconds() / 60
        hours += f" – {time(visit.ended_at, visit.zone)}<br/>{_quiet(duration(max(1, minutes)))}"
    place = f"<b>{escape(visit.outlet)}</b><br/>{_quiet(visit.city)}"
    if visit.note:
        place += f"<br/>{_quiet(visit.note)}"
    lines = number(visit.lines)
    if visit.oos:
        lines += f"<br/><span class='bad'>{escape(_short_oos(visit.oos))}</span>"
    complete = visit.reports == visit.reports_received and visit.photos == visit.photos_received
    held = f"<span class='ok'>{escape(tr('received'))}</span>" if complete else (
        f"<span class='wait'>{escape(tr('on this device'))}</span>")
    photos = number(visit.photos)
    return hours, place, escape(_why(visit)), lines, photos, held if visit.reports or visit.photos else "–"


def _quiet(text: str) -> str:
    return f"<span class='faint'>{escape(text)}</span>"


def _short_oos(count: int) -> str:
    return trn("{n} out of stock", "{n} out of stock", count)


def _why(visit: DayVisit) -> str:
    if not visit.planned:
        return tr("unplanned visit")
    return reasons(visit.reasons) or tr("planned visit")


def _missing(report: DayReport) -> str:
    if not report.out_of_stocks:
        return ""
    by_store: dict[str, list[str]] = {}
    for found in report.out_of_stocks:
        by_store.setdefault(found.outlet, []).append(found.product)
    rows = [(f"<b>{escape(store)}</b>", escape(", ".join(products))) for store, products in by_store.items()]
    return _section(tr("Out of stock"), _table((tr("Store"), tr("Products")), rows, (32, 68)))


def _promises(report: DayReport) -> str:
    if not report.promises:
        return ""
    rows = [
        (f"<b>{escape(promise.outlet)}</b>", escape(promise.title), escape(promise.by or "–"),
         escape(words.date(promise.due, "medium")) if promise.due else "–")
        for promise in report.promises
    ]
    return _section(tr("Promises"), _table((tr("Store"), tr("What"), tr("Who"), tr("Until")), rows, (32, 36, 18, 14)))


def _left(report: DayReport) -> str:
    if not report.skipped:
        return ""
    rows = [
        (f"<b>{escape(stop.outlet)}</b>", escape(stop.city), escape(report_words.skip_reason(stop.reason)))
        for stop in report.skipped
    ]
    return _section(tr("Planned and not visited"), _table((tr("Store"), tr("Town"), tr("Why")), rows, (40, 25, 35)))


def _section(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>{content}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> str:
    """Quiet rows with a hairline below each; cells are HTML, heads are text."""
    line = f"border-bottom: 0.6px solid {LIGHT.border};"
    head = "".join(f"<th width='{width}%' style='padding: 4px 6px 4px 0; {line}'>{escape(text)}</th>"
                   for text, width in zip(heads, widths, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td style='padding: 5px 6px 5px 0; {line}'>{cell}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table width='100%' cellspacing='0' cellpadding='0'><thead><tr>{head}</tr></thead>{body}</table>"
