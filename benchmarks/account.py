"""How long disclosure control, the report and the records of governance take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.measure import CannotMeasure, function

ROOT = Path(__file__).resolve().parent.parent


def disclosure(runs: int) -> dict[str, object]:
    """5,000 areas x 12 months x 10 types of crime with totals, by ``protect_counts``."""
    import numpy as np
    import pandas as pd

    from peelian.account.large import protect_counts

    rng = np.random.default_rng(1829)
    areas, months, kinds = 5_000, pd.period_range("2018-04", periods=12, freq="M").astype(str), range(10)
    index = pd.MultiIndex.from_product(
        [[f"E{i:08d}" for i in range(areas)], months, [f"type {k}" for k in kinds]],
        names=["place", "month", "kind"],
    )
    rate = rng.gamma(4.0, 2.0, areas).repeat(len(months) * len(kinds))
    counts = pd.Series(rng.poisson(rate), index=index)
    return {"n": len(counts)} | function(lambda: protect_counts(counts, threshold=5), runs=runs)


def report(runs: int) -> dict[str, object]:
    """The whole report of examples/hounslow in HTML and PDF, from what its stages left."""
    from peelian.chapters import CHAPTERS, Context
    from peelian.loop import run
    from peelian.project import Project

    folder = ROOT / "examples" / "hounslow"
    data = ROOT.parent / "shared" / "data" / "uk" / "flagship_hounslow"
    if not data.exists():
        raise CannotMeasure(f"Nothing to measure: its data should be at {data.relative_to(ROOT.parent)}.")
    run(folder, until="account")
    project = Project.load(folder)
    both = replace(project, project=replace(project.project, formats=("html", "pdf")))
    made = CHAPTERS["report"](Context(both))
    size = {name: len(made.files[name]) for name in ("report.html", "report.pdf")}
    return {"n": size["report.pdf"]} | function(lambda: CHAPTERS["report"](Context(both)), runs=runs)


def records(runs: int) -> dict[str, object]:
    """The eight records of governance, filled from facts, as pages and as JSON."""
    from peelian.account.governance import RECORDS, as_markdown, filled, schema

    facts = {about.get("filled_from", ""): "words " * 40 for name in RECORDS
             for about in schema(name)["properties"].values()}  # fmt: skip

    def every() -> list[object]:
        return [(as_markdown(held), held.as_json()) for held in (filled(name, facts) for name in RECORDS)]

    return {"n": len(RECORDS)} | function(every, runs=runs)
