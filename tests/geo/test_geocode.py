"""Geocoders on this machine, of the documented shapes; and what comes of answers that are none."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.domain.placing import Address, Candidate, Placing
from fieldcrm.geo import answers, geocode_http
from fieldcrm.geo.confidence import judge
from fieldcrm.geo.geocode import Geocoder, own, public

PORT = Address("12", "rue du Port", "44000", "Nantes", "FR")
Answer = tuple[int, dict[str, str], bytes]


class Asked:
    """A request as the server saw it."""

    def __init__(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        parts = urlsplit(path)
        self.method, self.path, self.headers, self.body = method, parts.path, headers, body
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}


@contextmanager
def serving(answer: Callable[[Asked], Answer]) -> Iterator[tuple[str, list[Asked]]]:
    """A server on a free port; its address, and what it was asked."""
    seen: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, self.path, dict(self.headers), body)
            seen.append(asked)
            status, headers, content = answer(asked)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        server.server_close()


def ban_feature(number: str = "12", **more: Any) -> dict[str, Any]:
    properties = {"label": f"{number} Rue du Port 44000 Nantes", "score": 0.96, "housenumber": number,
                  "type": "housenumber", "name": f"{number} Rue du Port", "postcode": "44000", "citycode": "44109",
                  "city": "Nantes", "context": "44, Loire-Atlantique", "street": "Rue du Port", **more}
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [-1.5534, 47.2184]},
            "properties": properties}


def ban(*features: dict[str, Any]) -> Answer:
    whole = {"type": "FeatureCollection", "version": "draft", "features": list(features), "attribution": "BAN",
             "licence": "ETALAB-2.0", "query": "…", "limit": 3}
    return 200, {"Content-Type": "application/json"}, json.dumps(whole).encode()


def asking(kind: str, url: str, **how: Any) -> Geocoder:
    return Geocoder(own(kind, url), "FieldCRM/test (someone@example.org)", **how)


def test_the_national_base_is_asked_and_its_answer_read() -> None:
    with serving(lambda asked: ban(ban_feature())) as (url, seen):
        (found,) = asking("ban", url).search(PORT)
    assert (found.lat_e7, found.lon_e7, found.precision, found.address.street) == (
        472_184_000, -15_534_000, "number", "Rue du Port")
    assert (seen[0].path, seen[0].query["q"]) == ("/search", "12 rue du Port 44000 Nantes")
    assert seen[0].headers["User-Agent"] == "FieldCRM/test (someone@example.org)"


def test_nominatim_is_asked_field_by_field_and_its_answer_read() -> None:
    place = {"lat": "47.2184", "lon": "-1.5534", "category": "building", "type": "yes", "importance": 0.00001,
             "display_name": "12, Rue du Port, Nantes", "address": {"house_number": "12", "road": "Rue du Port",
             "city": "Nantes", "postcode": "44000", "country_code": "fr"}}
    with serving(lambda asked: (200, {}, json.dumps([place]).encode())) as (url, seen):
        (found,) = asking("nominatim", url).search(PORT)
    assert found.address == Address("12", "Rue du Port", "44000", "Nantes", "FR")
    query = seen[0].query
    assert (query["street"], query["countrycodes"], query["addressdetails"]) == ("12 rue du Port", "fr", "1")


def test_a_position_is_turned_into_addresses() -> None:
    with serving(lambda asked: ban(ban_feature())) as (url, seen):
        (found,) = asking("ban", url).reverse(47.2184, -1.5534)
    assert (found.address.house_number, seen[0].path, seen[0].query["lat"][:5]) == ("12", "/reverse", "47.21")
    with serving(lambda asked: (200, {}, b'{"error":"Unable to geocode"}')) as (url, _):
        assert asking("nominatim", url).reverse(0.5, -30.0) == ()


def test_photon_is_read_too() -> None:
    said = {"features": [{"geometry": {"coordinates": [-1.5534, 47.2184]}, "properties": {
        "housenumber": "12", "street": "Rue du Port", "city": "Nantes", "postcode": "44000", "countrycode": "FR",
        "type": "house"}}]}
    with serving(lambda asked: (200, {}, json.dumps(said).encode())) as (url, _):
        (found,) = asking("photon", url).search(PORT)
    assert (found.precision, found.address) == ("number", Address("12", "Rue du Port", "44000", "Nantes", "FR"))


def sent_table(asked: Asked) -> list[dict[str, str]]:
    kind = asked.headers["Content-Type"].encode()
    whole = BytesParser().parsebytes(b"Content-Type: " + kind + b"\r\n\r\n" + asked.body)
    parts: Any = whole.get_payload()
    data = next(part for part in parts if part.get_filename())
    return list(csv.DictReader(io.StringIO(data.get_payload(decode=True).decode())))


def test_a_table_of_addresses_goes_in_one_request() -> None:
    def answer(asked: Asked) -> Answer:
        out = io.StringIO()
        names = ["n", "adresse", "cp", "ville", "longitude", "latitude", "result_score", "result_type", "result_label",
                 "result_housenumber", "result_street", "result_postcode", "result_city", "result_status"]
        writer = csv.DictWriter(out, names)
        writer.writeheader()
        for row in reversed(sent_table(asked)):
            known = {"longitude": "-1.5534", "latitude": "47.2184", "result_score": "0.93",
                     "result_street": "Rue du Port", "result_type": "housenumber", "result_housenumber": "12",
                     "result_postcode": "44000", "result_city": "Nantes", "result_status": "ok"}
            writer.writerow(row | (known if "Port" in row["adresse"] else {"result_status": "not-found"}))
        return 200, {"Content-Type": "text/csv"}, out.getvalue().encode()

    nowhere = Address("1", "rue; \"nulle\"\npart", "44000", "Nantes", "FR")
    with serving(answer) as (url, seen):
        found = asking("ban", url).search_table([PORT, nowhere, PORT])
    assert [len(one) for one in found] == [1, 0, 1]
    assert found[0][0].address == Address("12", "Rue du Port", "44000", "Nantes", "FR")
    assert (seen[0].method, seen[0].path, len(seen)) == ("POST", "/search/csv/", 1)


@pytest.mark.parametrize(("answer", "code"), [
    ((200, {}, b"<html>Sign in to the hotel's network</html>"), "geocoder_answer_strange"),
    ((200, {}, b"\xff\xfe\x00"), "geocoder_answer_strange"),
    ((200, {}, b"[" * 100_000), "geocoder_answer_strange"),
    ((200, {}, b'{"nothing": 1}'), "geocoder_answer_strange"),
    ((302, {"Location": "http://127.0.0.2:9/search"}, b""), "geocoder_answer_strange"),
    ((302, {"Location": "/again"}, b""), "geocoder_answer_strange"),
    ((200, {}, b" " * (geocode_http.MAX_ANSWER + 1)), "geocoder_answer_strange"),
    ((400, {}, b""), "geocoder_refused"), ((403, {}, b"blocked"), "geocoder_denied"),
    ((429, {"Retry-After": "7"}, b""), "geocoder_busy"), ((503, {"Retry-After": "7"}, b""), "geocoder_busy"),
    ((429, {}, b""), "geocoder_busy"), ((503, {}, b""), "geocoder_unreachable"), ((500, {}, b""), "geocoder_error"),
])
def test_whatever_a_server_answers_has_a_name(answer: Answer, code: str) -> None:
    with serving(lambda asked: answer) as (url, _):
        for work in (lambda one: one.search(PORT), lambda one: one.search_table([PORT] * 3)):
            with pytest.raises((DomainError, Unavailable)) as error:
                work(asking("ban", url))
            assert error.value.code == code
            if "Retry-After" in answer[1]:
                assert error.value.params["seconds"] == 7


def test_a_redirect_on_the_same_server_is_followed() -> None:
    def answer(asked: Asked) -> Answer:
        return ban(ban_feature()) if asked.path == "/v2/search" else (301, {"Location": "/v2/search?q=x"}, b"")

    with serving(answer) as (url, seen):
        assert len(asking("ban", url).search(PORT)) == 1
    assert [one.path for one in seen] == ["/search", "/v2/search"]


def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    asleep = threading.Event()

    def answer(asked: Asked) -> Answer:
        asleep.wait(5)
        return ban()

    with serving(answer) as (url, _):
        try:
            with pytest.raises(Unavailable, match="geocoder_unreachable"):
                asking("ban", url, read_s=0.2).search(PORT)
        finally:
            asleep.set()
    with pytest.raises(Unavailable, match="geocoder_unreachable"):
        asking("ban", "http://127.0.0.1:9").search(PORT)


def test_an_own_server_is_named_by_a_safe_address_and_a_public_one_keeps_its_limits() -> None:
    for url, code in (
        ("adresse.example", "geocoder_address_invalid"), ("ftp://adresse.example", "geocoder_address_invalid"),
        ("http://adresse.example", "geocoder_not_secure"), ("", "geocoder_address_invalid"),
    ):
        with pytest.raises(DomainError, match=code):
            own("ban", url)
    assert own("nominatim", "https://nominatim.openstreetmap.org/") == public("nominatim")
    assert (public("nominatim").per_second, public("nominatim").per_day > 0) == (1.0, True)
    assert not own("ban", "https://adresse.example/geo/").public


# ---- what an answer means -------------------------------------------------------------------------------------------


def candidate(number: str = "12", street: str = "Rue du Port", postcode: str = "44000", city: str = "Nantes",
              precision: str = "number", lat: int = 472_184_000, country: str = "FR") -> Candidate:
    return Candidate(lat, -15_534_000, precision, 0.9, "…", Address(number, street, postcode, city, country))


@pytest.mark.parametrize(("asked", "found", "state", "why"), [
    (PORT, (candidate(),), "placed", ""),
    (Address("12 bis", "r. du port", "44 000", "NANTES", "FR"), (candidate("12bis"),), "placed", ""),
    (Address("3", "av. du Gal de Gaulle", "44000", "Nantes", "FR"),
     (candidate("3", "Avenue du Général de Gaulle"),), "placed", ""),
    (PORT, (candidate("", precision="street"),), "doubtful", "street_only"),
    (PORT, (candidate(), candidate(lat=472_300_000)), "doubtful", "several"),
    (PORT, (candidate("14"),), "doubtful", "weak"),
    (PORT, (candidate("", "", precision="town"),), "refused", "town_only"),
    (PORT, (candidate(street="Impasse des Lilas", number="4"),), "refused", "not_found"),
    (PORT, (candidate(postcode="69003", city="Lyon"),), "refused", "elsewhere"),
    (PORT, (candidate(country="BE"),), "refused", "elsewhere"),
    (PORT, (), "refused", "not_found"),
    (Address(city="Nantes"), (candidate(),), "refused", "town_only"),
    (Address(), (candidate(),), "refused", "no_address"),
])
def test_a_place_is_taken_proposed_or_refused_and_says_why(
    asked: Address, found: tuple[Candidate, ...], state: str, why: str, now: Any
) -> None:
    placing = judge(asked, found, "ban", now)
    assert (placing.state, placing.why) == (state, why)
    assert Placing.of(json.loads(json.dumps(placing.document()))) == placing


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=12)
    | st.sampled_from(["housenumber", "street", "47.2", "-1.5", "FR"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["features", "geometry", "coordinates", "properties", "type", "score", "lat", "lon", "address",
                         "road", "error", "city", "postcode"]) | st.text(max_size=5), inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=90, deadline=None)
@given(JSON, st.sampled_from(sorted(answers.READERS)))
def test_no_answer_breaks_a_reader_or_lies_outside_the_world(answer: Any, kind: str) -> None:
    try:
        found = answers.READERS[kind](answer)
    except answers.Strange:
        return
    for one in found:
        assert abs(one.lat_e7) <= 900_000_000 and abs(one.lon_e7) <= 1_800_000_000 and 0 <= one.score <= 1
        assert Candidate.of(json.loads(json.dumps(one.document()))) is not None


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=80).map(
    lambda text: ("n,latitude,longitude,result_type,result_score\n" + text).encode()))
def test_no_table_breaks_its_reader(body: bytes) -> None:
    with suppress(answers.Strange):
        assert len(answers.table(body, 3)) == 3


@settings(max_examples=50, deadline=None)
@given(JSON)
def test_a_document_from_anywhere_is_a_placing_or_none(document: Any) -> None:
    placing = Placing.of(document)
    assert placing is None or Placing.of(placing.document()) is not None


AT = datetime(2026, 11, 20, tzinfo=UTC)


def at_the_door(number: str, street: str, postcode: str, city: str) -> Candidate:
    return Candidate(488_000_000, 23_000_000, "number", 0.95, "", Address(number, street, postcode, city, "FR"))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (("93400", "Saint-Ouen"), ("93200", "Saint-Denis")),  # one department, and names that are much alike
        (("14400", "Bayeux"), ("14400", "Subles")),  # one postcode
        (("59650", "Villeneuve-d'Ascq"), ("", "Villeneuve-Loubet")),  # a source without postcodes
        (("92200", "Neuilly-sur-Seine"), ("", "Neuilly-Plaisance")),
        (("38110", "Saint-Jean-de-Soudain"), ("38440", "Saint-Jean-de-Bournay")),
        (("25130", "Villers-le-Lac"), ("25240", "Villiers-le-Lac")),
    ],
)  # fmt: skip
def test_the_same_street_and_number_in_another_town_is_never_placed_without_asking(
    asked: tuple[str, str], found: tuple[str, str]
) -> None:
    placing = judge(Address("12", "rue de la République", *asked, "FR"),
                    [at_the_door("12", "Rue de la République", *found)], "ban", AT)  # fmt: skip
    assert placing.state in ("doubtful", "refused")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (("75012", "PARIS 12"), ("75012", "Paris")),
        (("69003", "Lyon"), ("69003", "Lyon 3e Arrondissement")),
        (("44000", "Nantes CEDEX 2"), ("44100", "Nantes")),
        (("93400", "ST OUEN"), ("93400", "Saint-Ouen-sur-Seine")),
        (("44000", "Nante"), ("44000", "Nantes")),
        (("", "Nantes"), ("", "Nantes")),
        (("44000", ""), ("44000", "Nantes")),
    ],
)  # fmt: skip
def test_the_same_town_written_otherwise_is_placed(asked: tuple[str, str], found: tuple[str, str]) -> None:
    placing = judge(Address("12", "rue de la République", *asked, "FR"),
                    [at_the_door("12", "Rue de la République", *found)], "ban", AT)  # fmt: skip
    assert placing.state == "placed"


def test_an_answer_that_comes_drop_by_drop_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geocode_http, "WHOLE_S", 0.3)
    over = threading.Event()

    class Dripping(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            with suppress(OSError):
                while not over.wait(0.05):
                    self.wfile.write(b" ")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Dripping)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    asked = Geocoder(own("ban", f"http://127.0.0.1:{server.server_address[1]}"), "test")
    try:
        with pytest.raises(Unavailable, match="geocoder_unreachable"):
            asked.search(PORT)
    finally:
        over.set()
        asked.close()
        server.shutdown()
        server.server_close()
