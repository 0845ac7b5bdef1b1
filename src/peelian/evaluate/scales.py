"""What kind of evidence this is, by a scale that asks for more than an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.evaluate import words
from peelian.evaluate.benefits import sentence

if TYPE_CHECKING:
    import pandas as pd

    from peelian.evaluate.assess import Assessment

BLANK = "not studied"


def emmie(found: Assessment) -> pd.DataFrame:
    """Effect, mechanism, moderators, implementation, economic cost: what is held on each.

    One row a dimension: ``dimension``, ``evidence``, ``quality`` (after Johnson, Tilley & Bowers 2015). What
    this evaluation cannot know reads "not studied" and says where it would come from.
    """
    import pandas as pd

    head = found.headline
    said = words.ratio(head.estimate, head.low, head.high)
    effect = found.verdict.words if found.small else f"{found.verdict.words}: ratio {said}"
    dose = found.check("G10")
    delivered = dose.sentence if dose.value is not None else BLANK
    dosed = [e for e in found.effects if "10 points" in e.name]
    moderated = BLANK
    if not found.small:
        told = (
            [] if found.benefits is None else [sentence(found.benefits, registered=found.registered_groups)]
        )
        told += [f"By saturation: {words.ratio(e.estimate, e.low, e.high)} for 10 points." for e in dosed]
        moderated = " ".join(told) or BLANK
    kind = "registered" if found.registered_groups and found.benefits is not None else "exploratory"
    source = BLANK if dose.value is None else "register of deliveries"
    if "the programme lists" in delivered:
        source = "the programme's own list, not deliveries"
    rows = [
        ("Effect", effect, f"Maryland level {found.maryland}; {len(found.fired)} guards fired"),
        (
            "Mechanism",
            f"{BLANK}: ask offenders and residents whether they knew of it; watch second-hand markets",
            BLANK,
        ),
        ("Moderators", moderated, BLANK if moderated == BLANK else kind),
        ("Implementation", delivered, source),
        ("Economic cost", BLANK, BLANK),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["dimension", "evidence", "quality"])


def emmie_title(evidence: pd.Series) -> str:
    """How many of the five are held."""
    studied = sum(BLANK not in text for text in evidence)
    return f"{studied} of 5 kinds of evidence are held (EMMIE; Johnson, Tilley & Bowers 2015)"


def with_costs(frame: pd.DataFrame, delivered: str, cost: str) -> pd.DataFrame:
    """The scale with what other chapters found: of what was delivered, and of what it cost.

    ``frame``  as ``emmie`` gives it, in any column names; empty texts leave a row as it is.
    """
    out = frame.copy()
    for row, (text, source) in {
        "Implementation": (delivered, "the chapter Deliver"), "Economic cost": (cost, "the chapter Account")
    }.items():  # fmt: skip
        at = out.iloc[:, 0] == row
        if text and at.any():
            held = str(out.loc[at].iloc[0, 1])
            out.iloc[at.to_numpy(), 1] = text if BLANK in held else f"{held} {text}"
            out.iloc[at.to_numpy(), 2] = source
    return out
