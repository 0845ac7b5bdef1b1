"""The weighted displacement difference of a study: in all, month by month, and weighed by harm.

For one start month: its windows are one pair. Everybody knows these numbers; none of them decides.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from peelian.arithmetic.comparison import t_quantile
from peelian.effect import Effect
from peelian.errors import DataError, DesignError
from peelian.evaluate import words
from peelian.evaluate.wdd import cumulative_wdd, harm_wdd, scan, wdd, wdd_of_units
from peelian.evaluate.windows import CONTROL, TREATED, Study
from peelian.words import month, whole

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from peelian.panel import Panel

    Floats = NDArray[np.float64]

HARM = "harm: "  # columns of the panel that count one crime type each, to be weighed
COLUMNS = ("type", "weight", "source")


@dataclass(frozen=True, eq=False, slots=True)
class Harm:
    """The weighted displacement difference of several crimes, weighed by the harm of each.

    ``effect``   in harm, with the interval of the spread between areas; ``poisson`` the published one.
    ``frame``    one row a crime type: ``type``, ``weight``, ``before`` and ``after`` of treated and of other
                 areas, ``difference`` with ``low`` and ``high`` (Poisson, in crimes), ``harm`` (in all).
    ``by_month`` one row a month since the start: ``month``, ``difference``, ``low``, ``high`` (Poisson).
    ``unit``     what a weight counts (days in prison), and ``source`` where the weights are from.
    """

    effect: Effect
    poisson: Effect
    frame: pd.DataFrame
    by_month: pd.DataFrame
    unit: str
    source: str

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "effect": self.effect.as_json(), "poisson": self.poisson.as_json(),
            "rows": self.frame.to_dict("records"), "months": self.by_month.to_dict("records"),
            "unit": self.unit, "source": self.source,
        }  # fmt: skip


def difference(study: Study) -> Effect | None:
    """The weighted displacement difference; None with several start months."""
    if len(study.stacks) > 1:
        return None
    v, u, months = _windows(study, study.counts)
    t, c = study.unit_group == TREATED, study.unit_group == CONTROL
    effect = wdd_of_units((v[t], u[t]), (v[c], u[c]), months=(months, 1.0))
    said = (
        "Weighted displacement difference: "
        f"{words.fewer_interval(-effect.estimate, -effect.high, -effect.low)}; "
        "its Poisson interval alone would be "
        f"{whole(effect.extra['poisson_high'] - effect.extra['poisson_low'])} wide."
    )
    return replace(effect, sentence=said)


def by_month(study: Study) -> pd.DataFrame | None:
    """The running difference since the start, month by month (Wheeler 2021); None with several starts.

    The other areas' counts are divided by how many times as many they had before, so that the last row is
    ``difference``; its band is Poisson's alone, 90 %.
    """
    if len(study.stacks) > 1:
        return None
    v, _, _ = _windows(study, study.counts)
    t, c = (float(v[study.unit_group == arm].sum()) for arm in (TREATED, CONTROL))
    return cumulative_wdd(*_series(study, study.counts), weight=c / t).rename_axis("month").reset_index()


def fullest_month(study: Study, crime: str) -> str:
    """Whether the treated areas' fullest month since the first start is more than chance (Naus 1982).

    For small counts, which allow no ratio; empty where no month held three, or under three months are over.
    """
    series, _ = _series(study, study.counts)
    months, most = len(series), int(series.max(initial=0))
    if months < 3 or most < 3:
        return ""
    first = study.stacks[0].after[0] + int(series.argmax())
    p = scan(months, 1, float(series.mean()), most)
    return (
        f"The treated areas' fullest month of {months}, {month(str(study.months[first]))}, held "
        f"{words.counted(most, crime)} at a mean of {series.mean():.1f}: so many in one of those months come "
        f"by chance with p {words.p_text(p)} (scan statistic, Naus 1982)."
    )


def _windows(study: Study, counts: Floats) -> tuple[Floats, Floats, float]:
    """Counts by unit before and after, and how many times as long before was."""
    stack = study.stacks[0]
    v, u = (study.by_unit(counts[:, a:b].sum(axis=1)) for a, b in (stack.before, stack.after))
    return v, u, stack.lengths[0] / stack.lengths[1]


def _series(study: Study, counts: Floats) -> tuple[Floats, Floats]:
    """Treated and other areas' counts by month after the start."""
    first, last = study.stacks[0].after
    t, c = (counts[study.group == arm, first:last].sum(axis=0) for arm in (TREATED, CONTROL))
    return t, c


# ------------------------------------------------------------------------------------ weighed by harm
def read_weights(path: Path) -> pd.DataFrame:
    """Harm weights by crime type: a CSV file with ``type``, ``weight``, ``source`` and optionally ``unit``.

    ``DataError`` names the line of a weight that is no number above 0, a type that stands twice, or a source
    that is lacking.
    """
    import pandas as pd

    if not path.is_file():
        raise DataError(f"{path}: there is no such file. [evaluate] harm names it.")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        lacking = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if lacking:
            raise DataError(
                f"{path}: has no column {', '.join(lacking)}. Harm weights need type, weight and source."
            )
        rows: dict[str, tuple[float, str, str]] = {}
        for row in reader:
            name, problem = (row["type"] or "").strip(), _problem(row, rows)
            if problem:
                raise DataError(f"{path}, line {reader.line_num}: {problem}.")
            rows[name] = float(row["weight"]), row["source"].strip(), (row.get("unit") or "").strip()
    if not rows:
        raise DataError(f"{path}: holds no weights. Add one line a crime type, or leave harm out.")
    return pd.DataFrame.from_dict(rows, orient="index", columns=["weight", "source", "unit"])


def _problem(row: Mapping[str, str | None], held: Mapping[str, object]) -> str:
    """What is wrong with a line; empty if nothing is."""
    name = (row["type"] or "").strip()
    if not name or name in held:
        return f"crime type {name!r} stands twice; give it one weight" if name else "type is blank"
    try:
        weight = float(row["weight"] or "")
    except ValueError:
        weight = math.nan
    if not (weight > 0 and math.isfinite(weight)):
        return f"weight {row['weight']!r} of {name} is no number above 0"
    if not (row["source"] or "").strip():
        return f"the weight of {name} has no source; say where it is published"
    return ""


def harm(study: Study, panel: Panel, weights: pd.DataFrame) -> Harm | None:
    """The weighted displacement difference in harm (Wheeler & Ratcliffe 2018), beside the one in counts.

    ``panel``    with a column ``harm: TYPE`` for each row of ``weights`` (``read_weights``).

    One size of the other areas holds for all types (their harm before over the treated areas'), so that the
    types add up. None with several start months; ``DesignError`` where there was no harm before.
    """

    if len(study.stacks) > 1:
        return None
    frame = panel.frame.sort_index()
    counts = {
        name: frame[f"{HARM}{name}"].to_numpy(float).reshape(study.counts.shape) for name in weights.index
    }
    weight = weights["weight"].to_dict()
    v, u, months = _windows(study, sum((weight[k] * x for k, x in counts.items()), np.zeros((1, 1))))
    t, c = study.unit_group == TREATED, study.unit_group == CONTROL
    if not (v[t].sum() > 0 and v[c].sum() > 0):
        raise DesignError(
            "[evaluate] harm weighs crimes of which one arm had none before the start. Weigh others too."
        )
    size = float(v[c].sum() / v[t].sum())
    effects, table = _by_type(study, counts, weight, size)
    effect = wdd_of_units((v[t], u[t]), (v[c], u[c]), months=(months, 1.0))
    return Harm(
        replace(effect, name="harm-weighted displacement difference"), harm_wdd(effects, weight), table,
        _harm_by_month(study, counts, weight, size),
        next((x for x in weights["unit"] if x), "harm weights"), "; ".join(dict.fromkeys(weights["source"])),
    )  # fmt: skip


def _by_type(
    study: Study, counts: Mapping[str, Floats], weight: Mapping[str, float], size: float
) -> tuple[dict[str, Effect], pd.DataFrame]:
    """The difference of each crime type, with the other areas ``size`` times as large, and the table."""
    import pandas as pd

    effects, rows = {}, []
    for name, x in counts.items():
        v, u, months = _windows(study, x)
        treated, other = (
            (float(v[study.unit_group == arm].sum()), float(u[study.unit_group == arm].sum()))
            for arm in (TREATED, CONTROL)
        )
        if not sum((*treated, *other)):
            continue  # none recorded: nothing to add
        effects[name] = e = wdd(treated, other, areas=(1, size, 1, 1), months=(months, 1.0))
        ends = e.estimate, e.low, e.high, weight[name] * e.estimate
        rows.append((name, weight[name], *treated, *other, *ends))
    names = ("treated_before", "treated_after", "other_before", "other_after", "difference", "low", "high")
    return effects, pd.DataFrame(rows, columns=["type", "weight", *names, "harm"])


def _harm_by_month(
    study: Study, counts: Mapping[str, Floats], weight: Mapping[str, float], size: float
) -> pd.DataFrame:
    """The running differences of all types, summed by harm, with a Poisson band of 90 %."""
    import pandas as pd

    parts = {name: cumulative_wdd(*_series(study, x), weight=size) for name, x in counts.items()}
    total = np.sum([weight[name] * part["difference"] for name, part in parts.items()], axis=0)
    variance = np.sum([(weight[name] * part["se"]) ** 2 for name, part in parts.items()], axis=0)
    half, months = t_quantile(0.95, math.inf) * np.sqrt(variance), np.arange(1, len(total) + 1)
    return pd.DataFrame({"month": months, "difference": total, "low": total - half, "high": total + half})


def sentence(found: Harm) -> str:
    """How much harm less, with the interval of the areas' spread.

    The types that were weighed are named in the table beside it.
    """
    e = found.effect
    return (
        f"Weighed by harm ({found.unit}), the treated areas' crimes came to "
        f"{words.fewer_interval(-e.estimate, -e.high, -e.low)} than the other areas' change led to expect."
    )
