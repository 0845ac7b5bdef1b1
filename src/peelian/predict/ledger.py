"""Ledger: forecasts sealed before their outcome, in lines that cannot be changed unseen, and their scores."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError, DesignError, Error, some

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places

FORECASTS, OUTCOMES, LOCK = "ledger.jsonl", "outcomes.jsonl", "ledger.lock"
NOTHING = "0" * 64


@dataclass(frozen=True)
class Entry:
    """One sealed forecast: a line of ``ledger.jsonl``.

    ``id``  its number; ``made`` when it was sealed (UTC); ``start``, ``stop`` the period, ``stop`` not
    included; ``known_at`` nothing later was used; ``method``, ``parameters`` what made it; ``version`` of
    the code; ``data`` SHA-256 of the incidents, ``risk`` of the stored forecast; ``chosen`` the places that
    were to be acted on; ``late`` True where it was sealed at or after ``start``: it is kept and never counts
    as prospective; ``previous`` SHA-256 of the line before; ``horizon`` what it spans (``month``, ``week``),
    where it was said; ``hash`` of this line without it.
    """

    id: str
    made: str
    start: str
    stop: str
    known_at: str
    method: str
    parameters: dict[str, Any]
    crime: str
    version: str
    data: str
    risk: str
    chosen: tuple[str, ...]
    late: bool
    previous: str
    horizon: str = ""
    hash: str = ""


@dataclass(frozen=True)
class Verified:
    """Whether the ledger is as it was written: ``problems`` in sentences, none if so; ``head`` to keep."""

    entries: int
    head: str
    problems: tuple[str, ...]

    def __str__(self) -> str:
        if self.problems:
            return " ".join(self.problems)
        return f"{self.entries} sealed forecasts, unchanged. Head: {self.head}"


@dataclass(frozen=True)
class Ledger:
    """Sealed forecasts of a folder: ``ledger.jsonl``, ``outcomes.jsonl``, and ``risk/<id>.csv`` beside them.

    Lines are only ever added. Each holds the SHA-256 of the line before it, so that an edited, removed or
    inserted line shows; whoever keeps the ``head`` outside can tell a ledger that was written anew.
    """

    folder: Path

    # ---------------------------------------------------------------- writing
    def append(
        self,
        risk: pd.Series,
        *,
        start: object,
        stop: object,
        known_at: object,
        method: str,
        parameters: Mapping[str, Any] | None = None,
        crime: str = "crime",
        data: str = "",
        chosen: Sequence[str] = (),
        version: str = "",
        horizon: str = "",
        made: datetime | None = None,
    ) -> Entry:
        """Seal a forecast: write its risk beside the ledger and one line that holds its hash.

        ``risk``  expected incidents by place; ``start``, ``stop`` its period; ``known_at`` the moment up to
        which incidents were used; ``version`` of the code; ``made`` now, unless given (an aware time).

        Raises ``DesignError`` for a risk that is missing, infinite or negative somewhere, an empty period,
        and a forecast that used incidents of its own period; ``Error`` while another process writes.
        """
        first, last, known = (_moment(value) for value in (start, stop, known_at))
        _refuse(risk, first, last, known, chosen)
        at = (made or datetime.now(UTC)).astimezone(UTC)
        text = canonical(risk)
        with self._writing():
            held = self.entries()
            name = f"{len(held) + 1:05d}"
            entry = Entry(
                name, at.isoformat(timespec="seconds"), first.isoformat(), last.isoformat(),
                known.isoformat(), method, dict(parameters or {}), crime, version, data,
                sha256(text), tuple(map(str, chosen)), at.replace(tzinfo=None) >= first.to_pydatetime(),
                self.head, horizon,
            )  # fmt: skip
            sealed = asdict(entry) | {"hash": _own_hash(entry)}
            (self.folder / "risk").mkdir(exist_ok=True)
            (self.folder / "risk" / f"{name}.csv").write_text(text, "utf-8", newline="\n")
            self._add(FORECASTS, sealed)
        return _entry(sealed)

    def score(
        self, incidents: Incidents, places: Places, *, known_to: object = None, made: datetime | None = None,
        by: str = "point",
    ) -> pd.DataFrame:  # fmt: skip
        """Score every sealed forecast whose period is over and that has no score yet; one line each.

        ``known_to``  incidents are complete up to this moment; without it the end of the last month that
        holds one. The first scores stand: a forecast is never scored twice. Returns the new rows.
        Raises ``DataError`` where the ledger does not verify.
        """
        import pandas as pd

        checked = self.verify()
        if checked.problems:
            raise DataError(f"The ledger was changed, so nothing is scored. {checked}")
        end = _moment(known_to) if known_to is not None else (incidents.span[1] + 1).start_time
        done = {line["id"] for line in self._lines(OUTCOMES)}
        rows = []
        with self._writing():
            for entry in self.entries():
                if entry.id in done or _moment(entry.stop) > end:
                    continue
                row = _scored(entry, self.risk(entry), incidents, places, by)
                row["scored"] = (made or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")
                self._add(OUTCOMES, row)
                rows.append(row)
        return pd.DataFrame(rows)

    # ---------------------------------------------------------------- reading
    def entries(self) -> list[Entry]:
        """The sealed forecasts, oldest first."""
        return [_entry(line) for line in self._lines(FORECASTS)]

    @property
    def head(self) -> str:
        """SHA-256 of the last line: whoever keeps it can tell a ledger that was written anew."""
        raw = self._raw(FORECASTS)
        return sha256(raw[-1]) if raw else NOTHING

    def risk(self, entry: Entry) -> pd.Series:
        """The forecast that an entry sealed."""
        import pandas as pd

        path = self.folder / "risk" / f"{entry.id}.csv"
        frame = pd.read_csv(path, dtype={"place": str}, keep_default_na=False)
        return pd.Series(frame["risk"].astype(float).to_numpy(), pd.Index(frame["place"], name="place"))

    def scores(self, *, prospective: bool = True) -> pd.DataFrame:
        """Scores of the forecasts sealed before their period; or, apart, of those sealed too late."""
        import pandas as pd

        rows = [row for row in self._lines(OUTCOMES) if row["late"] is not prospective]
        return pd.DataFrame(rows)

    def verify(self, *, head: str | None = None) -> Verified:
        """Whether any line or stored forecast was edited, removed or inserted since it was written.

        ``head``  the hash somebody kept: the last line, or one before it, must have it.
        """
        problems, previous, seen = [], NOTHING, {NOTHING}
        raw = self._raw(FORECASTS)
        for number, line in enumerate(raw, start=1):
            problems += self._wrong(line, number, previous)
            previous = sha256(line)
            seen.add(previous)
        if head is not None and head not in seen:
            problems.append(f"No line has the hash {head} that was kept: lines were removed or rewritten.")
        known = {f"{number:05d}" for number in range(1, len(raw) + 1)}
        orphans = [row["id"] for row in self._lines(OUTCOMES) if row["id"] not in known]
        if orphans:
            problems.append(f"Scores name forecasts that are not in the ledger: {some(orphans)}.")
        return Verified(len(raw), previous, tuple(problems))

    def _wrong(self, line: str, number: int, previous: str) -> list[str]:
        try:
            entry = _entry(json.loads(line))
        except (ValueError, TypeError):
            return [f"Line {number} is no sealed forecast."]
        out = []
        if entry.id != f"{number:05d}":
            out.append(f"Line {number} holds forecast {entry.id}: a line was removed or inserted.")
        if entry.previous != previous:
            out.append(f"Line {number} does not follow from the line before it.")
        if entry.hash != _own_hash(entry):
            out.append(f"Line {number} was edited.")
        path = self.folder / "risk" / f"{entry.id}.csv"
        if not path.is_file():
            out.append(f"The forecast {path.name} is missing.")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != entry.risk:
            out.append(f"The forecast {path.name} is not the one that was sealed.")
        return out

    # ---------------------------------------------------------------- files
    def _raw(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text("utf-8").splitlines() if path.is_file() else []

    def _lines(self, name: str) -> list[dict[str, Any]]:
        try:
            return [json.loads(line) for line in self._raw(name)]
        except ValueError as error:
            raise DataError(f"{self.folder / name} holds a line that is no JSON: {error}.") from error

    def _add(self, name: str, row: Mapping[str, Any]) -> None:
        line = json.dumps(row, ensure_ascii=False, sort_keys=True)
        with (self.folder / name).open("a", encoding="utf-8", newline="\n") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = self.folder / LOCK
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
        except FileExistsError as error:
            raise Error(
                f"Another process writes this ledger. If none does, one was stopped: delete {lock}."
            ) from error
        try:
            yield
        finally:
            lock.unlink()


def canonical(risk: pd.Series) -> str:
    """The forecast as text with one form only: place and risk to 9 significant digits, by place, LF.

    >>> import pandas as pd
    >>> canonical(pd.Series([0.5, 1 / 3], ["b", "a"]))
    'place,risk\\na,0.333333333\\nb,0.5\\n'
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["place", "risk"])
    writer.writerows([place, f"{value:.9g}"] for place, value in sorted(risk.items()))
    return out.getvalue()


def sha256(text: str) -> str:
    """SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def data_hash(incidents: Incidents) -> str:
    """SHA-256 of the incidents, whatever the order of their rows: windows, and points to the millimetre."""
    import numpy as np

    frame, points = incidents.frame, incidents.frame.geometry
    columns = [frame[name].to_numpy().astype("datetime64[s]").astype("<i8") for name in ("start", "end")]
    for values in (points.x, points.y):
        columns.append(np.round(np.nan_to_num(values.to_numpy(), nan=-1.0) * 1000).astype("<i8"))
    table = np.column_stack(columns)
    return hashlib.sha256(table[np.lexsort(table.T[::-1])].tobytes()).hexdigest()


def stopped(scores: pd.DataFrame, *, method: str, reference: str, periods: int = 6) -> str:
    """The banner of the stop rule, or nothing: a method no better than counts over so many periods together.

    ``scores``  prospective ones, with both methods for the same periods; ``periods`` 6 months or 26 weeks.
    """
    if scores.empty:
        return ""
    wide = scores.pivot_table(index="start", columns="method", values="log_score", aggfunc="first")
    if method not in wide or reference not in wide:
        return ""
    both = wide[[method, reference]].dropna().sort_index().tail(periods)
    behind = float((both[method] - both[reference]).mean())
    if len(both) < periods or behind < 0:
        return ""
    return (
        f"Over the last {periods} periods {method} did no better than {reference} (log score {behind:+.4f}; "
        "below 0 would be better). Use the count, or let somebody answer for this map by name."
    )


def _refuse(
    risk: pd.Series, start: pd.Timestamp, stop: pd.Timestamp, known: pd.Timestamp, chosen: Sequence[str]
) -> None:
    import numpy as np

    values = risk.to_numpy(float)
    wrong = ~np.isfinite(values) | (values < 0)
    if wrong.any() or not len(values):
        raise DesignError(
            f"A forecast is an expected number, 0 or more, in every place; this one is not in "
            f"{int(wrong.sum())} places: {some(risk.index[wrong])}."
        )
    if not risk.index.is_unique:
        raise DesignError(f"The forecast names {some(risk.index[risk.index.duplicated()])} twice.")
    if not stop > start:
        raise DesignError(f"The period {start:%d %B %Y} to {stop:%d %B %Y} is empty.")
    if known > start:
        raise DesignError(
            f"The forecast used incidents up to {known:%d %B %Y}, and its period starts on "
            f"{start:%d %B %Y}: it saw what it foretells. Seal one made from what was known before."
        )
    strange = [place for place in chosen if place not in risk.index]
    if strange:
        raise DesignError(f"Chosen places that the forecast does not name: {some(strange)}.")


def _scored(entry: Entry, risk: pd.Series, incidents: Incidents, places: Places, by: str) -> dict[str, Any]:
    import numpy as np

    from peelian.arithmetic.scores import capture, information_gain, log_score

    lacking = risk.index.symmetric_difference(places.index)
    if len(lacking):
        raise DesignError(
            f"Forecast {entry.id} was made for other places ({some(lacking)}). Score it on its own."
        )
    counts = incidents.between(entry.start, entry.stop).counts(places, by=by)  # type: ignore[arg-type]
    outcome, rate = counts.to_numpy(float), risk.reindex(places.index).to_numpy(float)
    floor = 0.02 * max(float(rate.sum()), 1.0) / len(rate)
    size = np.ones(len(rate)) if places.kind == "cell" else places.areas.to_numpy()
    held = capture(rate, outcome, shares=[0.05], size=size)
    row: dict[str, Any] = {
        "id": entry.id, "late": entry.late, "method": entry.method, "start": entry.start,
        "stop": entry.stop, "incidents": float(outcome.sum()), "expected": float(rate.sum()),
        "log_score": log_score(outcome, rate, floor=floor).value,
        "information_gain": information_gain(outcome, rate, floor=floor), "hit_rate_5": held.hit_rate[0],
        "in_chosen": float(counts.reindex(entry.chosen).sum()) if entry.chosen else None,
        "outcome": sha256(canonical(counts)), "data": data_hash(incidents),
    }  # fmt: skip
    return {key: None if value != value else value for key, value in row.items()}


def _moment(value: object) -> pd.Timestamp:
    import pandas as pd

    return value.start_time if isinstance(value, pd.Period) else pd.Timestamp(value)


def _entry(line: Mapping[str, Any]) -> Entry:
    return Entry(**{**line, "chosen": tuple(line["chosen"])})


def _own_hash(entry: Entry) -> str:
    unsaid = ("hash",) if entry.horizon else ("hash", "horizon")  # lines from before it was kept have none
    rest = {key: value for key, value in asdict(entry).items() if key not in unsaid}
    return sha256(json.dumps(rest, ensure_ascii=False, sort_keys=True))
