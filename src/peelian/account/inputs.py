"""What the stage was given: figures, records and register, read, and cut to the day they stand at."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError, some

if TYPE_CHECKING:
    import pandas as pd

    from peelian.account.records import Held
    from peelian.account.run import Parameters
    from peelian.figures import Figures
    from peelian.programme import Programme


def figures_of(own: str | Path | None, p: Parameters) -> Figures:
    """The figures, those for one crime in the prices asked for."""
    from peelian.figures import deflator, load, uprated

    figures = load(own)
    if p.prices is None:
        return figures
    return uprated(figures, {*p.fiscal, p.police, *p.economic, *p.social}, p.prices, deflator(own))


def held_of(
    assessment: dict[str, Any] | None,
    programme: Programme | None,
    p: Parameters,
    figures: Figures,
    saturation: pd.DataFrame | None,
    counts: pd.Series | pd.DataFrame | None,
    crime: str,
    published: bool,
) -> Held:
    """What is held, before the records of money and decisions are read; ``DataError`` where columns lack."""
    from peelian.account.records import Held, assessment_of

    needed = {"place", "month", "kits", "delivered", "households"}
    if saturation is not None and not needed <= set(saturation.columns):
        raise DataError(f"The deliveries lack {some(sorted(needed - set(saturation.columns)))}.")
    return Held(
        figures=figures,
        day=None,
        crime=crime,
        assessment=None if assessment is None else assessment_of(assessment),
        programme=programme,
        saturation=saturation if saturation is not None and len(saturation) else None,
        counts=None if counts is None else counts.to_frame(crime) if counts.ndim == 1 else counts,
        published=published,
    )


def with_records(held: Held, p: Parameters, *paths: str | Path | None) -> Held:
    """The ledger, the recoveries and the documents, read from these paths or from those of the table."""
    from peelian.account.ledger import read_ledger
    from peelian.account.records import read_documents, read_recoveries

    named = [given or own for given, own in zip(paths, (p.ledger, p.recoveries, p.documents), strict=True)]
    readers = (read_ledger, read_recoveries, read_documents)
    ledger, recoveries, documents = (
        None if path is None else reader(path) for path, reader in zip(named, readers, strict=True)
    )
    return replace(held, ledger=ledger, recoveries=recoveries, documents=documents)


def as_of(held: Held, p: Parameters, months: tuple[Any, Any] | None) -> Held:
    """The records as they stood on the day asked for: what was paid, decided, given out or found later is
    left out, so that a programme evaluated halfway is charged for no kit of a month still to come."""
    day = p.as_of or _last_day(held, months)
    threshold = p.threshold or int(held.figures.at(f"threshold_{p.audience}", day).value or 1)
    if day is None:
        return replace(held, threshold=threshold)
    ledger, documents = held.ledger, held.documents
    if ledger is not None:
        ledger = ledger[ledger["date"] <= day.isoformat()].reset_index(drop=True)
    if documents is not None:
        documents = documents[documents["date"] <= day.isoformat()].reset_index(drop=True)
    return replace(
        held,
        day=day.isoformat(),
        ledger=ledger,
        documents=documents,
        saturation=_months_over(held.saturation, day),
        recoveries=_months_over(held.recoveries, day),
        threshold=threshold,
    )


def _months_over(frame: pd.DataFrame | None, day: date) -> pd.DataFrame | None:
    """The rows of months that are over on a day; None where there are none."""
    import pandas as pd

    if frame is None:
        return None
    last = pd.Period(day, freq="M")
    last = last if last.end_time.date() <= day else last - 1
    kept = frame[pd.PeriodIndex(frame["month"].astype(str), freq="M") <= last]
    return kept.reset_index(drop=True) if len(kept) else None


def with_register(held: Held, path: str | Path | None) -> Held:
    """The benefits register, judged on the day of the records."""
    from peelian.account.benefits import judged, read_benefits

    if path is None or held.day is None:
        return held
    days = held.figures.at("review_days", held.day).number
    register = judged(read_benefits(path), on=date.fromisoformat(held.day), review_days=days)
    return replace(held, register=register)


def _last_day(held: Held, months: tuple[Any, Any] | None) -> date | None:
    """The last day of the last month of data: as given, or of counts, evaluation or ledger."""
    import pandas as pd

    if months is not None:
        last = pd.Period(str(months[1]), freq="M")
    elif held.counts is not None and len(held.counts):
        last = pd.Period(str(held.counts.index.get_level_values("month").max()), freq="M")
    elif held.assessment is not None:
        last = held.assessment.last
    elif held.ledger is not None:
        last = held.ledger["date"].max().to_period("M")
    else:
        return None
    return last.end_time.date()


def claims_of(path: str | Path | None) -> pd.DataFrame | None:
    """The claims made in public, each with what it implies."""
    from peelian.account.claims import read_claims, reconcile

    if path is None:
        return None
    claims = read_claims(path)
    if claims.empty:
        raise DataError(f"{path}: holds no claim. Remove it from [account].")
    return reconcile(claims)
