"""Download, against a server on this machine that misbehaves: the file comes whole and checked, or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from peelian.errors import DataError, Error
from peelian.read.download import official
from peelian.read.download.fetch import Limits, Receipt, fetch, receipt

ROOT = Path(__file__).resolve().parents[2]
QUICK = Limits(tries=4, pause=0.0, first=1.0, longest=30.0, quiet=0.5, whole=100.0, largest=1_000_000)


def zipped(size: int = 50_000) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("2020-01/2020-01-x-street.csv", "x" * size)
    return made.getvalue()


class Server:
    """Answers each request by the next of its script, and the last one from then on."""

    def __init__(self) -> None:
        self.script: list[Callable[[BaseHTTPRequestHandler], None]] = []
        self.asked: list[tuple[str, dict[str, str]]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.asked.append((self.path, dict(self.headers)))
                step = server.script[min(len(server.asked), len(server.script)) - 1]
                step(self)
                self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.httpd.server_address[1]}"
        self.thread = threading.Thread(
            target=self.httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self.thread.start()

    def close(self) -> None:
        self.httpd.shutdown()
        self.httpd.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    made = Server()
    yield made
    made.close()


def gives(data: bytes, *, tag: str = '"v1"', ranges: bool = True) -> Callable[[BaseHTTPRequestHandler], None]:
    """The file, or the rest of it where that is asked for and it is still the same."""

    def step(handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range")
        start = 0
        if ranges and asked and handler.headers.get("If-Range") == tag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        handler.send_header("Content-Length", str(len(data) - start))
        handler.send_header("ETag", tag)
        handler.end_headers()
        handler.wfile.write(data[start:])

    return step


def cut(data: bytes, after: int, *, tag: str = '"v1"') -> Callable[[BaseHTTPRequestHandler], None]:
    """Promises the whole file and hangs up."""

    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.send_header("ETag", tag)
        handler.end_headers()
        handler.wfile.write(data[:after])

    return step


def says(code: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return step


def stalls(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b"a")
    time.sleep(1.0)


def got(server: Server, path: Path, waits: list[float] | None = None, **options: Any) -> Receipt:
    options = {"check": "zip", "limits": QUICK, **options}
    return fetch(f"{server.address}/a.zip", path, wait=(waits if waits is not None else []).append, **options)


# -------------------------------------------------------------------- as it should be
def test_a_file_comes_with_its_receipt(server: Server, tmp_path: Path) -> None:
    data = zipped()
    server.script = [gives(data)]
    done = got(server, tmp_path / "a.zip", about={"licence": "OGL"})
    assert (tmp_path / "a.zip").read_bytes() == data
    assert (done.size, done.sha256, done.about) == (
        len(data),
        hashlib.sha256(data).hexdigest(),
        {"licence": "OGL"},
    )
    assert receipt(tmp_path / "a.zip") == done
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "a.zip.receipt.json"]


def test_a_file_that_is_here_is_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    server.script = [gives(zipped())]
    got(server, tmp_path / "a.zip")
    assert got(server, tmp_path / "a.zip").cached
    assert len(server.asked) == 1


def test_a_file_that_was_altered_here_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    server.script = [gives(zipped())]
    got(server, tmp_path / "a.zip")
    (tmp_path / "a.zip").write_bytes(b"altered")
    assert not got(server, tmp_path / "a.zip").cached
    assert (tmp_path / "a.zip").read_bytes() == zipped()


def test_again_tells_that_the_official_file_has_changed(server: Server, tmp_path: Path) -> None:
    server.script = [gives(zipped()), gives(zipped(60_000), tag='"v2"')]
    first = got(server, tmp_path / "a.zip")
    assert got(server, tmp_path / "a.zip", again=True).before == first.sha256


@pytest.mark.parametrize("kind", ["md5", "sha256"])
def test_a_digest_that_is_told_is_checked(server: Server, tmp_path: Path, kind: str) -> None:
    server.script = [gives(zipped())]
    good = hashlib.new(kind, zipped()).hexdigest()
    assert got(server, tmp_path / "a.zip", digest=f"{kind}:{good}").size == len(zipped())


# -------------------------------------------------------------------- what may pass
@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(server: Server, tmp_path: Path, code: int) -> None:
    server.script = [says(code), says(code), gives(zipped())]
    waits: list[float] = []
    got(server, tmp_path / "a.zip", waits)
    assert 0.5 <= waits[0] <= 1.0 <= waits[1] <= 2.0


def test_the_wait_that_the_server_asks_for_is_kept(server: Server, tmp_path: Path) -> None:
    server.script = [says(429, Retry_After="17"), gives(zipped())]
    waits: list[float] = []
    got(server, tmp_path / "a.zip", waits)
    assert waits == [17.0]


def test_a_wait_may_be_a_date_and_is_bounded(server: Server, tmp_path: Path) -> None:
    server.script = [says(503, Retry_After="Fri, 31 Dec 2117 23:59:59 GMT"), gives(zipped())]
    waits: list[float] = []
    got(server, tmp_path / "a.zip", waits)
    assert waits == [QUICK.longest]


def test_a_cut_connection_goes_on_where_it_was_cut(server: Server, tmp_path: Path) -> None:
    server.script = [cut(zipped(), 20_000), gives(zipped())]
    got(server, tmp_path / "a.zip")
    assert server.asked[1][1]["Range"] == "bytes=20000-"
    assert (tmp_path / "a.zip").read_bytes() == zipped()


def test_a_run_that_was_killed_goes_on_where_it_stood(server: Server, tmp_path: Path) -> None:
    server.script = [cut(zipped(), 30_000), says(500), says(500), says(500)]
    with pytest.raises(DataError, match="goes on from there"):
        got(server, tmp_path / "a.zip")
    assert (tmp_path / "a.zip.part").stat().st_size == 30_000
    server.script = [gives(zipped())]
    got(server, tmp_path / "a.zip")
    assert server.asked[-1][1]["Range"] == "bytes=30000-"


def test_a_file_that_changed_between_two_tries_is_not_patched_together(
    server: Server, tmp_path: Path
) -> None:
    server.script = [cut(zipped(), 20_000), gives(zipped(70_000), tag='"v2"')]
    got(server, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == zipped(70_000)


def test_a_server_without_ranges_sends_it_all_again(server: Server, tmp_path: Path) -> None:
    server.script = [cut(zipped(), 20_000), gives(zipped(), ranges=False)]
    got(server, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == zipped()


def test_a_range_beyond_the_end_starts_afresh(server: Server, tmp_path: Path) -> None:
    server.script = [cut(zipped(), 20_000), says(416), gives(zipped())]
    got(server, tmp_path / "a.zip")
    assert "Range" not in server.asked[2][1]


def test_a_stalled_connection_is_given_up_and_tried_again(server: Server, tmp_path: Path) -> None:
    server.script = [stalls, gives(zipped())]
    got(server, tmp_path / "a.zip")
    assert len(server.asked) == 2


# -------------------------------------------------------------------- what does not pass
def test_tries_are_bounded(server: Server, tmp_path: Path) -> None:
    server.script = [says(500)]
    with pytest.raises(DataError, match="did not come after 4 tries"):
        got(server, tmp_path / "a.zip")
    assert len(server.asked) == 4


def test_no_server_at_all_is_told(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/a.zip"
    with pytest.raises(DataError, match="Is this machine connected"):
        fetch(address, tmp_path / "a.zip", limits=QUICK, wait=lambda _: None)


@pytest.mark.parametrize(("code", "words"), [(404, "has no such file"), (403, "refuses it"), (407, "proxy")])
def test_a_refusal_is_told_at_once(server: Server, tmp_path: Path, code: int, words: str) -> None:
    server.script = [says(code)]
    with pytest.raises(DataError, match=words):
        got(server, tmp_path / "a.zip")
    assert len(server.asked) == 1


def test_another_digest_than_the_publishers_keeps_nothing(server: Server, tmp_path: Path) -> None:
    server.script = [gives(zipped())]
    with pytest.raises(DataError, match="the publisher says 00000000"):
        got(server, tmp_path / "a.zip", digest="md5:" + "0" * 32)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("check", "data", "words"),
    [
        ("zip", b"<!DOCTYPE html><html>Sign in</html>", "a web page, perhaps the sign-in page of a proxy"),
        ("zip", zipped()[:-40], "the end of the zip is missing"),
        ("zip", b"not a zip", "does not begin as a zip"),
        ("csv", b"a,b\n1,2\n", "its first line lacks STATION"),
        ("json", b'{"error": {"code": 400}}', "the server answered with an error"),
        ("json", b"{", "it is no JSON"),
        ("geojson", b'{"type": "x"}', "holds no list of features"),
        ("pbf", b"\0\0\0\0nothing", "does not begin as an OpenStreetMap PBF"),
        ("gpkg", b"PKx", "does not begin as such a file"),
        ("text", b"a\0b", "it is no text"),
        ("text", b"  ", "it is empty"),
    ],
)
def test_other_content_than_asked_for_keeps_nothing(
    server: Server, tmp_path: Path, check: str, data: bytes, words: str
) -> None:
    server.script = [gives(data)]
    with pytest.raises(DataError, match=words):
        got(server, tmp_path / "file", check=check, header=["STATION"])
    assert [p for p in tmp_path.iterdir() if not p.name.endswith(".part.json")] == []


def test_the_last_good_file_stays_where_the_new_one_is_wrong(server: Server, tmp_path: Path) -> None:
    server.script = [gives(zipped()), gives(b"<html>", tag='"v2"')]
    got(server, tmp_path / "a.zip")
    with pytest.raises(DataError, match="web page"):
        got(server, tmp_path / "a.zip", again=True)
    assert (tmp_path / "a.zip").read_bytes() == zipped()


@pytest.mark.parametrize("promised", ["2000000", ""])
def test_a_file_beyond_the_largest_is_stopped(server: Server, tmp_path: Path, promised: str) -> None:
    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        if promised:
            handler.send_header("Content-Length", promised)
        else:
            handler.send_header("Connection", "close")
        handler.end_headers()
        with contextlib.suppress(OSError):  # the client hangs up, as it should
            handler.wfile.write(b"x" * 2_000_000)

    server.script = [step]
    with pytest.raises(DataError, match="at most 1,000,000 are accepted"):
        got(server, tmp_path / "a.zip")


@pytest.mark.parametrize(
    "address", ["http://data.example/a.zip", "ftp://127.0.0.1/a.zip", "file:///etc/passwd"]
)
def test_only_safe_addresses_are_asked(tmp_path: Path, address: str) -> None:
    with pytest.raises(DataError, match="is no https address"):
        fetch(address, tmp_path / "a.zip")


@pytest.mark.parametrize("target", ["http://data.example/a.zip", "file:///etc/passwd"])
def test_a_redirect_to_an_unsafe_address_is_not_followed(server: Server, tmp_path: Path, target: str) -> None:
    server.script = [says(302, Location=target)]
    with pytest.raises(DataError):
        got(server, tmp_path / "a.zip")


def test_requests_to_one_host_keep_their_distance(server: Server, tmp_path: Path) -> None:
    server.script = [gives(zipped())]
    waits: list[float] = []
    slow = Limits(pause=5.0)
    for name in ("a.zip", "b.zip"):
        got(server, tmp_path / name, waits, limits=slow)
    assert len(waits) == 1
    assert 4.0 < waits[0] <= 5.0


def test_the_proxy_of_the_environment_is_used(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.address)
    monkeypatch.setenv("no_proxy", "")
    server.script = [gives(zipped())]
    fetch("http://localhost:9/a.zip", tmp_path / "a.zip", check="zip", limits=QUICK)
    assert server.asked[0][0] == "http://localhost:9/a.zip"


# -------------------------------------------------------------------- the official sources
def catalogue(server: Server, folder: Path) -> Path:
    """The official sources with this server in place of their hosts."""
    text = (ROOT / "src" / "peelian" / "read" / "download" / "sources.toml").read_text(encoding="utf-8")
    for host in {part.split("/")[0] for part in text.split("https://")[1:]}:
        text = text.replace(f"https://{host}", server.address)
    path = folder / "sources.toml"
    path.write_text(text, encoding="utf-8")
    return path


def asked_of(server: Server, tmp_path: Path, *what: Any, **options: Any) -> list[Receipt]:
    return official.download(
        *what,
        out=tmp_path / "out",
        limits=QUICK,
        wait=lambda _: None,
        catalogue=catalogue(server, tmp_path),
        **options,
    )


def test_two_archives_of_police_uk(server: Server, tmp_path: Path) -> None:
    server.script = [gives(zipped())]
    done = asked_of(server, tmp_path, "police-uk", "archive", {"month": "2022-12,2025-12"})
    assert [r.file for r in done] == ["police-uk-2022-12.zip", "police-uk-2025-12.zip"]
    assert [path for path, _ in server.asked] == ["/data/archive/2022-12.zip", "/data/archive/2025-12.zip"]
    assert "Open Government Licence" in done[0].about["licence"]


def test_an_extract_of_openstreetmap_is_checked_by_its_md5(server: Server, tmp_path: Path) -> None:
    data = b"\0\0\0\x0e\x0a\x09OSMHeader" + b"x" * 100
    server.script = [gives(f"{hashlib.md5(data).hexdigest()}  x-latest.osm.pbf\n".encode()), gives(data)]
    done = asked_of(server, tmp_path, "osm", "extract", {"region": "europe/x"})
    assert done[0].file == "osm-europe-x.osm.pbf"


def test_a_product_of_ordnance_survey_is_checked_by_its_list(server: Server, tmp_path: Path) -> None:
    server.script = [gives(json.dumps([{"md5": "0" * 32}]).encode()), gives(zipped())]
    with pytest.raises(DataError, match="the publisher says 0000"):
        asked_of(server, tmp_path, "os-open", "product", {"product": "OpenRoads", "format": "GeoPackage"})


def layer(count: int, lacking: int = 0) -> Callable[[BaseHTTPRequestHandler], None]:
    """An ArcGIS layer with ``count`` features of which the last ``lacking`` never come, 2 a page."""

    def step(handler: BaseHTTPRequestHandler) -> None:
        if "returnCountOnly" in handler.path:
            gives(json.dumps({"count": count}).encode())(handler)
            return
        start = int(handler.path.split("resultOffset=")[1].split("&")[0])
        held = [{"type": "Feature", "id": k} for k in range(start, min(start + 2, count - lacking))]
        gives(json.dumps({"type": "FeatureCollection", "features": held}).encode())(handler)

    return step


def test_the_pages_of_a_layer_come_as_one_file(server: Server, tmp_path: Path) -> None:
    server.script = [layer(5)]
    asked_of(server, tmp_path, "ons", "boundaries", {"service": "LSOA"})
    held = json.loads((tmp_path / "out" / "ons-LSOA.geojson").read_text())
    assert [feature["id"] for feature in held["features"]] == [0, 1, 2, 3, 4]
    assert asked_of(server, tmp_path, "ons", "boundaries", {"service": "LSOA"})[0].cached


def test_pages_that_came_are_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    server.script = [layer(5), layer(5), says(500)]
    with pytest.raises(DataError, match="goes on from there"):
        asked_of(server, tmp_path, "ons", "boundaries", {"service": "LSOA"})
    before = len(server.asked)
    server.script = [layer(5)]
    asked_of(server, tmp_path, "ons", "boundaries", {"service": "LSOA"})
    assert [path.split("resultOffset=")[1][0] for path, _ in server.asked[before:]] == ["2", "4"]


def test_a_layer_that_gives_fewer_than_it_says_is_refused(server: Server, tmp_path: Path) -> None:
    server.script = [layer(5, lacking=1)]
    with pytest.raises(DataError, match="says it has 5 features, and 4 came"):
        asked_of(server, tmp_path, "ons", "boundaries", {"service": "LSOA"})


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (("police", "archive", {}), "no source called 'police'.*Did you mean police-uk"),
        (("osm", "extracts", {}), "no item of osm called 'extracts'"),
        (("police-uk", "archive", {}), "needs month=...; you gave none"),
        (("police-uk", "archive", {"month": "2022-13"}), "is not of the form"),
        (("police-uk", "archive", {"month": "2022-12/../../x"}), "is not of the form"),
        (("osm", "extract", {"region": "../../x"}), "is not of the form"),
        (("ons", "census", {"table": "ts041", "more": "x"}), "you gave table, more"),
    ],
)
def test_what_cannot_be_asked_is_told_before_anything_is(
    tmp_path: Path, what: tuple[Any, ...], words: str
) -> None:
    with pytest.raises(Error, match=words):
        official.download(*what, out=tmp_path)


def test_every_official_address_is_https_and_dated() -> None:
    held = official.sources()
    tables = [table for table in held.values() if isinstance(table, dict)]
    addresses = [
        item[key]
        for t in tables
        for item in t["items"].values()
        for key in ("address", "sums")
        if key in item
    ]
    assert held["noted"]
    assert len(addresses) > 15
    assert all(address.startswith("https://") for address in addresses)


def test_the_command_lists_what_there_is() -> None:
    from peelian.cli import main

    shown = CliRunner().invoke(main, ["download", "osm", "--json"])
    assert [row["item"] for row in json.loads(shown.stdout)] == ["extract"]


def test_a_value_without_a_sign_is_told() -> None:
    from peelian.cli import main

    shown = CliRunner().invoke(main, ["download", "police-uk", "archive", "2024-12"])
    assert (shown.exit_code, "month=2024-12" in shown.stderr) == (10, True)


# -------------------------------------------------------------------- never of itself
def test_importing_everything_and_listing_the_sources_opens_no_connection() -> None:
    """Every module of ours, with sockets that refuse. A whole run is in tests/security/test_offline.py."""
    code = """
import pkgutil, importlib, socket, sys
def refuse(*a, **k):
    raise SystemExit("a connection was opened")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
import peelian
for module in pkgutil.walk_packages(peelian.__path__, "peelian."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
from peelian import tasks
assert tasks.downloads()
assert "peelian.read.download.fetch" in sys.modules
print("silent")
"""
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, env={"PYTHONPATH": str(ROOT / "src"), "PATH": ""},
    )  # fmt: skip
    assert run.stdout.strip() == "silent", run.stderr
