"""Every check of every chosen factor in one table, and what the model leaves over: a row shows all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.report import Block, Chart, Table, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.model import RiskTerrain

TOO_NARROW = "selected by search: these intervals are too narrow"
NOT_RUN, NOT_KEPT = "not run", "not chosen"


def blocks(terrain: RiskTerrain) -> list[Block]:
    """The table of every check, and charts of what is left over."""
    found: list[Block] = [_checks(terrain)] if len(terrain.terms) else []
    return [Text("Every check, and what is left over", "heading"), *found, *_left_over(terrain)]


# -------------------------------------------------------------------- every check
def checks_table(terrain: RiskTerrain) -> pd.DataFrame:
    """One row a chosen factor with every column of every check; a check that was not run says so.

    The numbers behind it, one column each, are ``terms``.
    """
    import pandas as pd

    halves = terrain.second_half is not None
    rows = [_row(terrain, term, halves) for _, term in terrain.terms.iterrows()]
    return pd.DataFrame(rows)


def _row(terrain: RiskTerrain, term: pd.Series, halves: bool) -> dict[str, str]:
    reach = {}
    if "reach" in term.index:
        reach = {"Reach, m": _metres(term["reach"], term["reach_low"], term["reach_high"])}
    return {
        "Factor": term["factor"].replace("_", " "),
        "Model": f"{term['coefficient']:.3f} (standard error {term['standard_error']:.3f}); "
        + _times(term["times"], term["low"], term["high"]),
        "By tile": f"standard error {term['robust_se']:.3f}; "
        + _times(term["times"], term["robust_low"], term["robust_high"]),
        "Resamples": _times(term["bagged"], term["boot_low"], term["boot_high"], NOT_RUN),
        "Chosen again": _shares(term, ("frequency", "frequency_operation", "frequency_distance")),
        "Shift p": _ps(term, ("shift_p_alone", "shift_p", "shift_p_holm")),
        "Other half": _times(
            term["refit_times"], term["refit_low"], term["refit_high"], NOT_KEPT if halves else NOT_RUN
        ),
        **reach,
        "Reading": term["verdict"],
    }


def _times(times: float, low: float, high: float, absent: str = "") -> str:
    return absent if times != times else f"{times:.2f} ({low:.2f} to {high:.2f})"


def _metres(reach: float, low: float, high: float) -> str:
    if not reach > 0:
        return "none"
    return f"{reach:,.0f}" if low != low else f"{reach:,.0f} ({low:,.0f} to {high:,.0f})"


def _shares(term: pd.Series, names: tuple[str, ...]) -> str:
    if term[names[0]] != term[names[0]]:
        return NOT_RUN
    return " / ".join(f"{100 * term[name]:.0f} %" for name in names)


def _ps(term: pd.Series, names: tuple[str, ...]) -> str:
    if all(term[name] != term[name] for name in names):
        return NOT_RUN
    return " / ".join("too few places" if term[name] != term[name] else f"{term[name]:.3f}" for name in names)


def _checks(terrain: RiskTerrain) -> Table:
    from peelian.explain.report import source_of

    whole = terrain.inference
    reading = terrain.terms["verdict"].value_counts()
    told = ", ".join(f"{number} {word}" for word, number in reading.items())
    reach = " Reach: farthest distance at which the curve is at the stated ratio." * (
        "reach" in terrain.terms.columns
    )
    return Table(
        "checks",
        f"Every check of the {len(terrain.terms)} factors in the model: {told}",
        checks_table(terrain),
        source=source_of(terrain),
        note=f"Times as frequent with 95 % interval. Model: {TOO_NARROW}. By tile: {terrain.extent.many} of "
        f"one of {whole['tiles']} tiles {whole['tile_words']} may be alike. Resamples: mean over resamples "
        "of tiles, 1 where the factor is not chosen again, and interval where it is. Chosen again: the "
        "factor / by the same operation / at the same distance. Shift p: the factor by itself / other "
        "factors alike / adjusted for several factors (Holm). Other half: "
        f"{whole['halves']}.{reach}",
    )  # fmt: skip


# -------------------------------------------------------------------- what is left over
def _left_over(terrain: RiskTerrain) -> list[Block]:
    whole = terrain.inference
    if "moran" not in whole:
        return [Text("What the model leaves over was not looked at: permutations = 0.", "note")]
    found: list[Block] = [Text(_said(terrain))]
    if whole.get("correlogram"):
        found.append(_correlogram(terrain))
    if whole.get("rootogram"):
        found.append(_rootogram(terrain))
    return found


def _said(terrain: RiskTerrain) -> str:
    whole = terrain.inference
    return (
        f"After the model, Moran's I of the Pearson residuals is {whole['moran']:.3f} (permutation p "
        f"{whole['moran_p']:.3f}); {whole['cells_without']:,} {terrain.extent.many} hold no incident, "
        f"and the model expects {whole['cells_without_expected']:,.0f}."
    )


def _correlogram(terrain: RiskTerrain) -> Chart:
    import pandas as pd

    from peelian import charts
    from peelian.explain.report import source_of

    frame = pd.DataFrame(terrain.inference["correlogram"], columns=["Metres", "Correlation", "Pairs"])
    first, last = frame.iloc[0], frame.iloc[-1]
    near, far = (round(float(row["Correlation"]), 2) + 0.0 for row in (first, last))  # never minus nothing
    return Chart(
        "correlogram",
        f"What the model leaves over is alike at {first['Metres']:,.0f} m by {near:.2f}, at "
        f"{last['Metres']:,.0f} m by {far:.2f}",
        charts.lines(
            frame, "Metres", "Correlation", x_title=f"metres between {terrain.extent.many}",
            y_title="correlation of Pearson residuals",
        ),
        f"Correlation of residuals by distance: {near:.2f} at {first['Metres']:,.0f} m, "
        f"highest {frame['Correlation'].max():.2f}, lowest {frame['Correlation'].min():.2f}, "
        f"{far:.2f} at {last['Metres']:,.0f} m.",
        frame, {"Metres": ",.0f", "Correlation": ".3f", "Pairs": ",.0f"}, source=source_of(terrain),
        note="0 is what a model leaves over that says all there is to say of how places lie together.",
    )  # fmt: skip


def _rootogram(terrain: RiskTerrain) -> Chart:
    import pandas as pd

    from peelian import charts
    from peelian.explain.report import source_of

    rows = terrain.inference["rootogram"]
    frame = pd.DataFrame(rows, columns=["Incidents in one", "Observed", "Expected"])
    drawn = pd.concat(
        [
            pd.DataFrame({"Incidents": frame["Incidents in one"], "Root": frame[name] ** 0.5, "What": name})
            for name in ("Observed", "Expected")
        ],
        ignore_index=True,
    )
    worst = frame.loc[(frame["Observed"] ** 0.5 - frame["Expected"] ** 0.5).abs().idxmax()]
    most = rows[-1][0]
    return Chart(
        "rootogram",
        f"Counts by {terrain.extent.one} beside the model's: farthest apart at a count of "
        f"{worst['Incidents in one']:.0f} ({worst['Observed']:,.0f} {terrain.extent.many}, "
        f"{worst['Expected']:,.0f} expected)",
        charts.lines(
            drawn, "Incidents", "Root", series="What",
            x_title=f"incidents in one {terrain.extent.one} ({most} or more last)",
            y_title=f"square root of the number of {terrain.extent.many}",
        ),
        f"Counts by {terrain.extent.one}, observed and expected: {rows[0][1]:,} with none "
        f"({rows[0][2]:,.0f} expected), {rows[-1][1]:,} with {most} or more ({rows[-1][2]:,.0f} expected).",
        frame, {"Incidents in one": ",.0f", "Observed": ",.0f", "Expected": ",.1f"},
        source=source_of(terrain),
        note="Rootogram (Kleiber & Zeileis 2016): square roots, so that rare counts can be seen.",
    )  # fmt: skip
