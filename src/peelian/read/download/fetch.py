"""Fetch: one file from an address, whole and checked, or a sentence that says why not."""

from __future__ import annotations

import email.utils
import hashlib
import http.client
import json
import os
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from peelian.errors import DataError
from peelian.read.download.content import fault

AGENT = "peelian (place-based crime prevention; the user of this machine asked for one file)"
PIECE = 256 * 1024
BUSY = (408, 425, 429, 500, 502, 503, 504)  # what may pass if one waits
REFUSALS = {
    401: "wants a sign-in",
    404: "has no such file",
    407: "is behind a proxy that wants a sign-in",
    410: "no longer has it",
}
LOCAL = ("127.0.0.1", "localhost", "::1")
BROKEN = (OSError, http.client.HTTPException)  # urllib's own errors are OSErrors
WAITED: dict[str, float] = {}  # host -> when it was last asked


@dataclass(frozen=True)
class Limits:
    """How long and how often to try.

    ``tries``    in all; ``pause`` seconds between two requests to one host; ``first`` seconds before the
                 second try, doubled each time up to ``longest``, of which half is drawn at random.
    ``quiet``    seconds without a byte before a connection counts as cut; ``whole`` seconds for the file.
    ``largest``  bytes that a file may have.
    """

    tries: int = 6
    pause: float = 0.5
    first: float = 1.0
    longest: float = 120.0
    quiet: float = 60.0
    whole: float = 6 * 3600.0
    largest: int = 2_000_000_000


@dataclass(frozen=True)
class Receipt:
    """What a download brought: kept beside the file as ``NAME.receipt.json``.

    ``before``  the SHA-256 of the file that it replaced, where that one was another.
    ``cached``  True where the file was there already and nothing was asked of the network.
    """

    file: str
    address: str
    size: int
    sha256: str
    fetched: str
    version: str = ""
    about: dict[str, str] = field(default_factory=dict)
    before: str = ""
    cached: bool = False


class Passing(Exception):
    """Something that may pass: try again, not before ``after`` seconds."""

    def __init__(self, says: str, after: float = 0.0) -> None:
        super().__init__(says)
        self.after = after


def fetch(
    address: str,
    path: Path | str,
    *,
    check: str = "text",
    header: Sequence[str] = (),
    digest: str = "",
    again: bool = False,
    limits: Limits | None = None,
    about: dict[str, str] | None = None,
    wait: Callable[[float], None] = time.sleep,
    progress: Callable[[int, int], None] | None = None,
) -> Receipt:
    """One file from an address, resumed where it was cut, checked, and put in place whole.

    ``address``  ``https``; ``http`` only to this machine. The proxy of the environment is used.
    ``path``     of the file; its receipt lies beside it, and while it comes down, ``NAME.part``.
    ``check``    what it must be: ``zip``, ``gpkg``, ``pbf``, ``csv``, ``json``, ``geojson``, ``text``;
                 ``header`` columns of a CSV.
    ``digest``   ``md5:...`` or ``sha256:...`` where the publisher tells it; recorded in any case.
    ``again``    fetch although the file is here. Without it a file whose bytes still match its receipt is
                 returned without asking the network.

    Raises ``DataError`` for an address that is not there, content that is not what was asked for, a digest
    that does not match, a file that is too large, and a server that does not answer within ``limits``.
    """
    path, limits = Path(path), limits or Limits()
    _safe(address)
    held = receipt(path)
    if held is not None and not again and held.address == address and unchanged(path, held):
        return Receipt(**{**asdict(held), "cached": True})
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    version = _tried(address, part, limits, wait, progress)
    wrong = fault(part, check, header)
    if wrong:
        part.unlink()
        raise DataError(
            f"{address}: what came is not the {check} that was asked for: {wrong}. Look at the address in a "
            "browser; if it moved, its entry in sources.toml wants correcting. Nothing was kept."
        )
    sha256 = hashed(part, "sha256")
    _match(address, part, digest)
    done = Receipt(
        path.name,
        address,
        part.stat().st_size,
        sha256,
        datetime.now(UTC).isoformat(timespec="seconds"),
        version,
        about or {},
        "" if held is None or held.sha256 == sha256 else held.sha256,
    )
    _forget(part)
    os.replace(part, path)
    write_receipt(path.with_name(path.name + ".receipt.json"), asdict(done))
    return done


def receipt(path: Path) -> Receipt | None:
    """The receipt of a file, where it has one."""
    try:
        held = json.loads(path.with_name(path.name + ".receipt.json").read_text(encoding="utf-8"))
        return Receipt(**held)
    except (OSError, ValueError, TypeError):
        return None


def _safe(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL):
        return
    raise DataError(f"{address}: is no https address, so whoever is between could change the file.")


def unchanged(path: Path, held: Receipt) -> bool:
    """True where a file still has the bytes of its receipt."""
    return path.is_file() and path.stat().st_size == held.size and hashed(path, "sha256") == held.sha256


def _tried(
    address: str,
    part: Path,
    limits: Limits,
    wait: Callable[[float], None],
    progress: Callable[[int, int], None] | None,
) -> str:
    """The whole file into ``part``, trying again where it may help; returns the server's version of it."""
    until = time.monotonic() + limits.whole
    for number in range(1, limits.tries + 1):
        _pause(address, limits, wait)
        try:
            return _once(address, part, limits, until, progress)
        except Passing as reason:
            if number == limits.tries or time.monotonic() + reason.after > until:
                raise DataError(
                    f"{address}: did not come after {number} tries ({reason}). Is this machine connected, "
                    "and its proxy set? What came is kept: the same command goes on from there."
                ) from reason
            delay = min(limits.first * 2 ** (number - 1), limits.longest)
            wait(max(delay * (0.5 + secrets.randbelow(501) / 1000), reason.after))
    raise DataError(f"{address}: limits.tries must be 1 or more.")


def _pause(address: str, limits: Limits, wait: Callable[[float], None]) -> None:
    host = urlsplit(address).netloc
    left = WAITED.get(host, float("-inf")) + limits.pause - time.monotonic()
    if left > 0:
        wait(left)
    WAITED[host] = time.monotonic()


def _once(
    address: str, part: Path, limits: Limits, until: float, progress: Callable[[int, int], None] | None
) -> str:
    """One request, for what is not in ``part`` yet, if the server's file is still the same."""
    have, version = _begun(part, address)
    request = urllib.request.Request(address, headers={"User-Agent": AGENT, "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", version)
    try:
        with _opener().open(request, timeout=limits.quiet) as answer:
            return _receive(answer, address, part, have, limits, until, progress)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416:  # nothing is left of it, or the file is another one now: from the start
                _forget(part)
                part.unlink(missing_ok=True)
                raise Passing("the server's file has changed") from error
            if error.code in BUSY:
                raise Passing(f"HTTP {error.code}", _after(error.headers, limits)) from error
            raise DataError(_refused(address, error.code)) from error
    except BROKEN as error:
        if isinstance(error, urllib.error.URLError) and "CERTIFICATE" in str(error).upper():
            raise DataError(
                f"{address}: its certificate is not trusted here ({error.reason}). Behind an inspecting "
                "proxy, set SSL_CERT_FILE to the certificates of your organisation."
            ) from error
        raise Passing(str(getattr(error, "reason", error)) or type(error).__name__) from error


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Redirects())  # proxies come from the environment


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow to other https addresses only."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        """The next request, where the next address is safe."""
        _safe(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _receive(
    answer: Any,
    address: str,
    part: Path,
    have: int,
    limits: Limits,
    until: float,
    progress: Callable[[int, int], None] | None,
) -> str:
    """Write the body to ``part``; fewer bytes than were promised is something that may pass."""
    resumed = answer.status == 206 and str(answer.headers.get("Content-Range", "")).startswith(
        f"bytes {have}-"
    )
    start = have if resumed else 0
    version = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
    length = answer.headers.get("Content-Length")
    promised = start + int(length) if length and length.isdigit() else 0
    if promised > limits.largest:
        raise DataError(_too_large(address, promised, limits))
    write_receipt(_note(part), {"address": address, "version": version})
    size = start
    with part.open("ab" if resumed else "wb") as out:
        while piece := answer.read1(PIECE):
            size += len(piece)
            if size > limits.largest:
                raise DataError(_too_large(address, size, limits))
            if time.monotonic() > until:
                raise Passing("it takes longer than is allowed", after=float("inf"))
            _put(out, piece, part)
            if progress is not None:
                progress(size, promised or size)
    if promised and size < promised:
        raise Passing(f"the connection was cut after {size:,} of {promised:,} bytes")
    return version


def _put(out: Any, piece: bytes, part: Path) -> None:
    try:
        out.write(piece)
    except OSError as error:  # not the network: trying again does not make room
        raise DataError(
            f"{part}: cannot be written ({error.strerror}). Make room, and run it again."
        ) from error


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _forget(part: Path) -> None:
    _note(part).unlink(missing_ok=True)


def _begun(part: Path, address: str) -> tuple[int, str]:
    """Bytes that are here and may be kept, and the version they are of; a weak version cannot be resumed."""
    try:
        note = json.loads(_note(part).read_text(encoding="utf-8"))
        size = part.stat().st_size
    except (OSError, ValueError):
        return 0, ""
    version = note.get("version", "")
    if note.get("address") != address or not version or version.startswith("W/"):
        return 0, ""
    return size, version


def _after(headers: Any, limits: Limits) -> float:
    """Seconds that a busy server asks one to wait; no more than the longest wait."""
    text = (headers.get("Retry-After") or "").strip()
    if text.isdigit():
        return min(float(text), limits.longest)
    try:
        then = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    left = (then - datetime.now(then.tzinfo or UTC)).total_seconds() if then.tzinfo else 0.0
    return min(max(left, 0.0), limits.longest)


def _match(address: str, part: Path, digest: str) -> None:
    if not digest:
        return
    kind, _, expected = digest.partition(":")
    found = hashed(part, kind)
    if found != expected.lower():
        part.unlink()
        _forget(part)
        raise DataError(
            f"{address}: the {kind} of what came is {found}, and the publisher says {expected}. It was "
            "damaged on the way, or changed between the two requests. Nothing was kept; run it again."
        )


def hashed(path: Path, kind: str) -> str:
    """The digest of a file, by the name of its kind."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()


def write_receipt(path: Path, held: dict[str, Any]) -> None:
    """A small JSON file, written aside and renamed."""
    aside = path.with_name(path.name + ".new")
    aside.write_text(json.dumps(held, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(aside, path)


def _refused(address: str, code: int) -> str:
    return (
        f"{address}: the server {REFUSALS.get(code, 'refuses it')} (HTTP {code}). Check the values you gave; "
        "if the address has moved, its entry in sources.toml wants correcting."
    )


def _too_large(address: str, size: int, limits: Limits) -> str:
    return (
        f"{address}: has {size:,} bytes or more; at most {limits.largest:,} are accepted. Nothing was kept."
    )
