from __future__ import annotations

import time
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QImage
from sqlalchemy import select

from fieldcrm.domain.errors import DomainError
from fieldcrm.store.tables import T
from fieldcrm.ui.navigator import Place
from fieldcrm.ui.visit.group_page import GroupPage
from fieldcrm.ui.visit.photo_field import MAX_AT_ONCE, PhotoField
from fieldcrm.ui.widgets import Confirm
from fieldcrm.usecases import visits
from tests.ui.visit.conftest import Bench, add_photos
from tests.usecases.photos import jpeg
from tests.usecases.test_visits import instance_of


def test_photos_come_from_files_the_clipboard_and_a_drop_and_can_be_taken_away(bench: Bench, tmp_path: Path) -> None:
    bench.begin()
    bench.editor.go(2)
    page = bench.editor.pages[2]
    assert isinstance(page, GroupPage)
    field = page.fields["/photos/shelf_photos"].editor.field  # type: ignore[union-attr]
    file = tmp_path / "shelf.jpg"
    file.write_bytes(jpeg(1))
    field._choosing = lambda _parent: [str(file)]
    field.choose()
    bench.until(lambda: len(field.frames) == 1)
    image = QImage(300, 200, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.darkGreen)
    QGuiApplication.clipboard().setImage(image)
    field.paste()
    bench.until(lambda: len(field.frames) == 2)
    dropped = QMimeData()
    other = tmp_path / "other.jpg"
    other.write_bytes(jpeg(2))
    dropped.setUrls([QUrl.fromLocalFile(str(other))])
    assert field._add_mime(dropped)
    bench.until(lambda: len(field.frames) == 3)
    gone = field.frames[1].photo.sha256
    field.frames[1].cross.click()
    bench.until(lambda: len(field.frames) == 2 and not bench.session.photos.has(gone))


def test_a_file_that_is_no_photo_is_said_so_and_nothing_is_lost(bench: Bench, tmp_path: Path) -> None:
    bench.begin()
    bench.editor.go(2)
    bench.editor.recording.add_photo("/photos/shelf_photos", b"%PDF-1.7")
    bench.until(lambda: bench.editor.message.text() == "This file is not a photo.")
    assert bench.editor.recording.photos("/photos/shelf_photos") == []


def test_more_photos_at_once_than_are_taken_is_said(bench: Bench, tmp_path: Path) -> None:
    bench.begin()
    bench.editor.go(2)
    field = next(field for field in bench.editor.findChildren(PhotoField) if field.path == "/photos/shelf_photos")
    (tmp_path / "one.jpg").write_bytes(b"%PDF-1.7")
    said: list[DomainError] = []
    bench.editor.recording.failed.connect(said.append)
    field.add_files([str(tmp_path / "one.jpg")] * (MAX_AT_ONCE + 3))
    assert said[0].code == "photos_too_many_at_once"
    assert said[0].params == {"most": MAX_AT_ONCE, "chosen": MAX_AT_ONCE + 3}


def test_throwing_a_draft_away_asks_first_and_takes_its_photos_with_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.begin()
    bench.editor.go(2)
    add_photos(bench, 1)
    monkeypatch.setattr(Confirm, "ask", classmethod(lambda cls, *args, **more: False))
    bench.screen.discard()
    assert bench.screen.editor is not None
    monkeypatch.setattr(Confirm, "ask", classmethod(lambda cls, *args, **more: True))
    bench.screen.discard()
    bench.until(lambda: Place("today", {}) in bench.places)
    assert list(bench.session.photos.names()) == []
    with bench.db.read() as r:
        assert visits.drafts(r) == ()


def test_a_photo_that_was_still_being_prepared_when_the_window_closed_is_there_again(bench: Bench) -> None:
    bench.begin()
    draft = bench.editor.recording.draft_id
    bench.editor.recording.add_photo("/photos/shelf_photos", jpeg(4, (3000, 2000)))
    time.sleep(0.1)
    bench.session.tasks.stop()  # waits for what has begun; what it brings home is no longer heard
    _, before = instance_of(bench.db, draft)
    assert before.get("/photos/shelf_photos") == ""
    from fieldcrm.ui.visit.recording import Recording

    with bench.db.read() as r:
        again = Recording(bench.session, visits.open_draft(r, draft))
    assert len(again.photos("/photos/shelf_photos")) == 1


def test_sending_waits_for_photos_that_are_on_their_way(bench: Bench) -> None:
    bench.begin()
    bench.tap("r")
    bench.editor.recording.set("/photos/no_photo", "other")
    bench.editor.recording.add_photo("/photos/other_photos", jpeg(4, (3000, 2000)))
    bench.editor.go_check()
    bench.editor.send()
    bench.until(lambda: Place("today", {}) in bench.places)
    with bench.db.read() as r:
        assert len(r.conn.execute(select(T.attachment)).all()) == 1


def test_a_photo_that_cannot_be_kept_stops_the_sending_that_waited_for_it(bench: Bench) -> None:
    bench.begin()
    bench.tap("r")
    bench.editor.recording.set("/photos/no_photo", "other")
    bench.editor.recording.add_photo("/photos/other_photos", b"%PDF-1.7")
    bench.editor.go_check()
    bench.editor.send()
    bench.until(lambda: bench.editor.message.text() == "This file is not a photo.")
    bench.until(lambda: bench.editor.check.send.isEnabled())
    with bench.db.read() as r:
        assert r.conn.execute(select(T.submission)).all() == []
