"""Sealing: what the stage has just forecast, put into the ledger together with the count it must beat."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.errors import Error
from peelian.predict.ledger import FORECASTS, Entry, Ledger, data_hash, stopped

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places

ABOUT, MAP = "forecast.json", "cells.parquet"
PERIODS = {"month": 6, "week": 26}


def about_forecast(
    incidents: Incidents,
    *,
    start: object,
    stop: object,
    method: str,
    reference: str,
    horizon: str,
    crime: str,
) -> dict[str, Any]:
    """What ``seal`` needs to know of a forecast: written by the stage as ``forecast.json``."""
    return {
        "start": str(start), "stop": str(stop), "known_at": str(start), "method": method,
        "reference": reference, "horizon": horizon, "crime": crime, "data": data_hash(incidents),
    }  # fmt: skip


def seal(
    ledger: Path | str, made_by_predict: Path | str, *, parameters: Mapping[str, Any] | None = None,
    share: float = 0.05, version: str = "", made: datetime | None = None,
) -> list[Entry]:  # fmt: skip
    """Seal the forecast in a folder of ``predict``, and that of plain counts, before their period starts.

    ``ledger``           folder of the ledger; ``made_by_predict`` with ``forecast.json``, ``cells.parquet``.
    ``share``            of the cells, ranked highest, recorded as the chosen ones; ``version`` of the code.

    The same forecast is sealed once: where the last entries have its period, method and risk, they are
    returned. Raises ``Error`` where the stage has not been run.
    """
    import geopandas as gpd

    from peelian.predict.ledger import canonical, sha256

    folder = Path(made_by_predict)
    if not (folder / ABOUT).is_file() or not (folder / MAP).is_file():
        raise Error(f"{folder} holds no forecast. Run `peelian predict` first.")
    about = json.loads((folder / ABOUT).read_text("utf-8"))
    frame = gpd.read_parquet(folder / MAP)
    book = Ledger(Path(ledger))
    held = {(e.start, e.stop, e.method, e.risk): e for e in book.entries()}
    out = []
    for method, column in {about["reference"]: "counts", about["method"]: "risk"}.items():
        risk = frame[column]
        start, stop = (_iso(about[key]) for key in ("start", "stop"))
        key = (start, stop, method, sha256(canonical(risk)))
        top = risk.sort_values(ascending=False, kind="stable").index[: max(round(share * len(risk)), 1)]
        out.append(
            held.get(key)
            or book.append(
                risk, start=start, stop=stop, known_at=about["known_at"], method=method,
                parameters=parameters, crime=about["crime"], data=about["data"], chosen=sorted(top),
                version=version, horizon=about["horizon"], made=made,
            )
        )  # fmt: skip
    return out


def score(
    ledger: Path | str, incidents: Incidents, cells: Places, *, made: datetime | None = None
) -> dict[str, Any]:
    """Score what is due, and say how the sealed forecasts have done: plain values for words or ``--json``."""
    book = Ledger(Path(ledger))
    new = book.score(incidents, cells, made=made)
    before, late = book.scores(), book.scores(prospective=False)
    return {
        "scored": len(new), "prospective": json.loads(before.to_json(orient="records")),
        "late": json.loads(late.to_json(orient="records")), "banners": banners(book), "head": book.head,
    }  # fmt: skip


def banners(book: Ledger) -> list[str]:
    """The stop rule: a sentence for each method that did no better than counts for 6 months or 26 weeks."""
    before = book.scores()
    methods = {(entry.method, _horizon(entry)) for entry in book.entries()}
    counts = sorted({method for method, _ in methods if method.startswith("counts")})
    found = [
        stopped(before, method=method, reference=reference, periods=PERIODS[horizon])
        for method, horizon in sorted(methods)
        for reference in counts
        if method != reference
    ]
    return [banner for banner in found if banner]


@dataclass(frozen=True, eq=False)
class Sealed:
    """What a ledger holds, for the chapter: ``banners`` not answered, ``sentences``, ``scores`` of forecasts
    sealed before their period."""

    banners: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    scores: pd.DataFrame | None = None


def told(ledger: Path | None, *, answered: Any = None) -> Sealed:
    """What the chapter says of the ledger; nothing where there is none.

    ``answered``  ``by`` and ``reason`` of whoever answers for a map that did no better than counts: their
    sentence then stands beside the banner's, which is no warning any more.
    """
    if ledger is None or not (ledger / FORECASTS).is_file():
        return Sealed()
    book = Ledger(ledger)
    checked = book.verify()
    scores = book.scores()
    said = [f"The ledger of forecasts: {checked}"]
    warnings = tuple(banners(book))
    if not checked.problems and not len(scores):
        said.append("None of them has been scored yet, so nothing is known of how this map does in use.")
    if warnings and answered is not None:
        said += [f"{banner} {answered.by} answers for it: {answered.reason}" for banner in warnings]
        warnings = ()
    if checked.problems:
        return Sealed((*warnings, said[0]))
    return Sealed(warnings, tuple(said), scores if len(scores) else None)


def verify(ledger: Path | str, *, head: str | None = None) -> dict[str, Any]:
    """Whether the ledger is as it was written: plain values, ``words`` to be read aloud."""
    found = Ledger(Path(ledger)).verify(head=head)
    return {
        "entries": found.entries,
        "head": found.head,
        "problems": list(found.problems),
        "words": str(found),
    }


def _iso(text: str) -> str:
    """A moment in the ledger's form."""
    import pandas as pd

    return pd.Timestamp(text).isoformat()


def _horizon(entry: Entry) -> str:
    import pandas as pd

    if entry.horizon:
        return entry.horizon
    return "month" if (pd.Timestamp(entry.stop) - pd.Timestamp(entry.start)).days > 14 else "week"
