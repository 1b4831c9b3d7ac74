"""The pages of the settings."""

from __future__ import annotations

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QTextBrowser, QWidget

from fieldcrm import resources, words
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.diagnostics import about_text, report
from fieldcrm.ui.preferences import PHOTO_SIZES
from fieldcrm.ui.settings.keys import ShortcutEditor
from fieldcrm.ui.settings.layout import Page, ThemeChoice
from fieldcrm.ui.settings.regions import RegionLines
from fieldcrm.ui.settings.second_copy import SecondCopyLines
from fieldcrm.ui.widgets import Button, Field, InlineMessage, SegmentedControl, Switch, Text
from fieldcrm.words import tr


def appearance(session: AppSession) -> Page:
    preferences = session.preferences
    page = Page(tr("Appearance"), tr("Everything applies at once."))
    group = page.group(tr("Theme"))
    themes = ThemeChoice(
        [
            ("system", tr("As the computer")),
            ("light", tr("Light")),
            ("dark", tr("Dark")),
            ("contrast-light", tr("High contrast")),
            ("contrast-dark", tr("High contrast, dark")),
        ],
        preferences.theme,
    )
    themes.chosen.connect(lambda mode: setattr(preferences, "theme", mode))
    group.whole(themes)
    rest = page.group(tr("Language and text"))
    languages = SegmentedControl(list(words.NAMES.items()), preferences.language, tr("Language"))
    languages.chosen.connect(lambda code: setattr(preferences, "language", code))
    rest.line(tr("Language"), tr("Changes at once, without starting again."), languages)
    offered = [(str(size), words.percent(size / 100)) for size in theme.TEXT_SIZES]
    sizes = SegmentedControl(offered, str(preferences.text_size), tr("Text size"))
    sizes.chosen.connect(lambda size: setattr(preferences, "text_size", int(size)))
    rest.line(tr("Text size"), tr("Everything that holds text grows with it."), sizes)
    page.end()
    return page


def capture(session: AppSession) -> Page:
    preferences = session.preferences
    page = Page(tr("Photos and map"))
    photos = page.group(tr("Photos"))
    size = QComboBox()
    for pixels in PHOTO_SIZES:
        size.addItem(tr("{n} pixels", n=words.number(pixels)), pixels)
    size.setCurrentIndex(max(0, size.findData(preferences.photo_pixels)))
    size.currentIndexChanged.connect(lambda at: setattr(preferences, "photo_pixels", size.itemData(at)))
    note = tr("Larger photos show more and take longer to send. 1,600 is enough for a shelf.")
    photos.line(tr("Longer side"), note, size)
    maps = page.group(tr("Map"))
    online = Switch(tr("Online map layer"), preferences.online_map)
    url = QLineEdit(preferences.online_tiles_url)
    url.setPlaceholderText("https://tiles.example.org/{z}/{x}/{y}.png")
    hint = tr("Your organisation’s tile server. Nothing is asked of it while the layer is off.")
    field = Field(tr("Address of the tiles"), url, hint)
    field.setEnabled(preferences.online_map)

    def turned(on: bool) -> None:
        preferences.online_map = on
        field.setEnabled(on)

    def addressed() -> None:
        text = url.text().strip()
        right = text.startswith(("https://", "http://")) and all(part in text for part in ("{z}", "{x}", "{y}"))
        wrong = tr("The address begins with https:// and holds {z}, {x} and {y}.", z="{z}", x="{x}", y="{y}")
        field.set_error(wrong if text and not right else "")
        if right or not text:
            preferences.online_tiles_url = text

    online.toggled.connect(turned)
    url.editingFinished.connect(addressed)
    note = tr("Off: the map uses what is on this device and asks the network for nothing.")
    maps.line(tr("Online map layer"), note, online)
    maps.whole(field)
    page.group(tr("Regions on this device")).whole(RegionLines(session))
    page.end()
    return page


def data(session: AppSession) -> Page:
    note = tr("Everything you save is encrypted on this device before it goes anywhere.")
    page = Page(tr("Data on this device"), note)
    group = page.group()
    shown = Text(str(session.folder), "caption", "muted", wrap=True)
    shown.setMaximumWidth(theme.pixels(320))
    group.line(tr("Data folder"), "", shown)
    database = session.folder / "fieldcrm.db"
    used = words.size(database.stat().st_size) if database.exists() else "–"
    group.line(tr("Database"), "", Text(used, "body", "muted"))
    photos = Text("…", "body", "muted")
    session.tasks.run(session.photos.bytes_used, lambda used: photos.setText(words.size(used)))
    group.line(tr("Photos"), "", photos)
    opened = Button(tr("Open the folder"), "secondary", "folder-open")
    opened.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(session.folder))))
    group.line(tr("Look at the files"), tr("They are of no use without the key, which is kept apart."), opened)
    SecondCopyLines(session, page.group(tr("Second copy")))
    help_group = page.group(tr("When something is wrong"))
    copied = InlineMessage()

    def copy() -> None:
        QGuiApplication.clipboard().setText(report(session))
        copied.show_text(tr("The report is in the clipboard."), "success")

    help_group.line(
        tr("Report for the help desk"),
        tr("Versions, sizes and the last lines of the log; no names, no answers, no photos."),
        Button(tr("Copy report"), "secondary", "copy", copy),
    )
    page.body.addWidget(copied)
    page.end()
    return page


def keys(session: AppSession) -> Page:
    page = Page(tr("Shortcuts"), tr("Choose a line and press the keys you want. Backspace takes them away."))
    page.body.addWidget(ShortcutEditor(session))
    page.end()
    return page


def about(session: AppSession) -> Page:
    page = Page(tr("About and licences"))
    page.body.addWidget(Text(about_text(), "body", "muted", wrap=True))
    licences = QTextBrowser()
    licences.setOpenLinks(False)
    licences.setAccessibleName(tr("Licences of everything bundled"))
    licences.setMarkdown(_licences())
    licences.setMinimumHeight(theme.pixels(320))
    page.body.addSpacing(theme.space(2))
    page.body.addWidget(Text(tr("Licences of everything bundled"), "body-strong"))
    page.body.addWidget(licences, 1)
    buttons = QWidget()
    row = QHBoxLayout(buttons)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(Button(tr("Copy report"), "secondary", "copy",
                         lambda: QGuiApplication.clipboard().setText(report(session))))
    row.addStretch(1)
    page.body.addWidget(buttons)
    return page


def _licences() -> str:
    names = ("licences.md", "icons/LICENSE-lucide.txt", "fonts/Inter-OFL.txt")
    texts = [resources.text(name) for name in names if resources.path(name).exists()]
    # Two line ends make a paragraph in Markdown: the plain licences keep their lines.
    return "\n\n---\n\n".join([texts[0], *(text.replace("\n", "\n\n") for text in texts[1:])])
