"""Gi* against R spdep (spec/explain.md R2f): 9,413 cells of Chicago, to 1e-8; counts of hot cells exact."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from peelian.explain.gi import adjusted, g_star, normal_p
from tests.queen_grid import queen

RTM = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "rtm"
if not RTM.is_dir():
    pytest.skip("../shared/reference/rtm is not beside this checkout.", allow_module_level=True)

EXPECTED = json.loads((RTM / "r_results.json").read_text())["gi_star"]
CELLS = pd.read_csv(RTM / "chi250_cells.csv.gz")
COUNTS = pd.read_csv(RTM / "chi250.csv.gz")["y"].to_numpy(float)
COLUMN, ROW = (np.rint((CELLS[k] - CELLS[k].min()) / 250).astype(int).to_numpy() for k in ("x", "y"))
NEAR = queen(COLUMN, ROW)
Z = g_star(COUNTS, sparse.csr_array(NEAR + sparse.eye_array(len(COUNTS))))


def test_gi_star_of_every_cell() -> None:
    assert int(NEAR.sum()) == EXPECTED["neighbour_links_without_self"]
    assert pytest.approx(CELLS["gi_star"].to_numpy(), abs=1e-8) == Z
    assert Z.max() == pytest.approx(EXPECTED["max"], abs=1e-8)


def test_hot_cells_under_each_adjustment() -> None:
    high, low = normal_p(Z)
    both = np.minimum(2 * np.minimum(high, low), 1)
    found = {
        "hot_p_one_sided_05": int((high <= 0.05).sum()),
        "hot_fdr_bh_one_sided_05": int((adjusted(high, "fdr") <= 0.05).sum()),
        "hot_fdr_bh_two_sided_05": int(((adjusted(both, "fdr") <= 0.05) & (high < low)).sum()),
        "cold_fdr_bh_two_sided_05": int(((adjusted(both, "fdr") <= 0.05) & (high > low)).sum()),
        "hot_fdr_bh_one_sided_10": int((adjusted(high, "fdr") <= 0.1).sum()),
        "hot_bonferroni_one_sided_05": int((adjusted(high, "bonferroni") <= 0.05).sum()),
    }
    assert found == {name: EXPECTED[name] for name in found}
