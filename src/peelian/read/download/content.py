"""Content: whether a file that came down is what was asked for, by what it holds and not by its name."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

HEAD = 64 * 1024
SIGNS = {"zip": b"PK\x03\x04", "gpkg": b"SQLite format 3\0"}


def fault(path: Path, kind: str, header: Sequence[str] = ()) -> str:
    """Why a file is not of its kind, as the end of a sentence; empty where it is.

    ``kind``    ``zip``, ``gpkg``, ``pbf``, ``csv``, ``json``, ``geojson`` or ``text``.
    ``header``  columns that the first line of a CSV must name.
    """
    with path.open("rb") as handle:
        head = handle.read(HEAD)
    if not head.strip():
        return "it is empty"
    if kind not in ("json", "geojson") and head.lstrip()[:1] == b"<" and b"<html" in head.lower():
        return "it is a web page, perhaps the sign-in page of a proxy"
    return CHECKS[kind](path, head, header)


def _signed(path: Path, head: bytes, _: Sequence[str]) -> str:
    kind = "zip" if path.name.endswith(".zip") or head.startswith(SIGNS["zip"]) else "gpkg"
    return "" if head.startswith(SIGNS[kind]) else "it does not begin as such a file does"


def _zip(path: Path, head: bytes, _: Sequence[str]) -> str:
    if not head.startswith(SIGNS["zip"]):
        return "it does not begin as a zip does"
    try:
        with zipfile.ZipFile(path) as archive:
            return "" if archive.infolist() else "the zip holds nothing"
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return "the end of the zip is missing or damaged"


def _pbf(path: Path, head: bytes, _: Sequence[str]) -> str:
    return "" if b"OSMHeader" in head[:64] else "it does not begin as an OpenStreetMap PBF does"


def _csv(path: Path, head: bytes, header: Sequence[str]) -> str:
    first = head.decode("utf-8-sig", errors="replace").splitlines()[0]
    lacking = [name for name in header if name.casefold() not in first.casefold()]
    return f"its first line lacks {', '.join(lacking)}" if lacking or "\0" in first else ""


def _json(path: Path, head: bytes, _: Sequence[str]) -> str:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        return f"it is no JSON ({error})"
    if isinstance(held, dict) and "error" in held:
        return f"the server answered with an error: {str(held['error'])[:200]}"
    return ""


def _geojson(path: Path, head: bytes, _: Sequence[str]) -> str:
    wrong = _json(path, head, _)
    if wrong:
        return wrong
    held = json.loads(path.read_text(encoding="utf-8"))
    known = isinstance(held, dict) and isinstance(held.get("features"), list)
    return "" if known else "it holds no list of features"


def _text(path: Path, head: bytes, _: Sequence[str]) -> str:
    return "it is no text" if b"\0" in head else ""


CHECKS: dict[str, Callable[[Path, bytes, Sequence[str]], str]] = {
    "zip": _zip,
    "gpkg": _signed,
    "pbf": _pbf,
    "csv": _csv,
    "json": _json,
    "geojson": _geojson,
    "text": _text,
}
