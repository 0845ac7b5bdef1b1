"""Peelborough: a simulated borough with a known truth, the embedded example and the yardstick of the tests.

Everything in it is invented: its streets, homes, crimes, programme and money. Its files have exactly the
formats of real sources, so that the demonstration goes through the readers that real data go through, and
its truth (``truth.json``) says what a right analysis must find.

The timeline of the default parameters::

    2011-01 .. 2018-12   recorded crime, eight years, so that three pseudo-programmes, a year apart and each
                         with its own selection year, baseline and after, fit before the real one
    2014-01 .. 2014-12   phase A is chosen on this year's burglary, in compact groups of areas
    2015-01 .. 2015-12   its clean baseline (2015-03 .. 2016-02 for the last start)
    2015-02 .. 2016-01   phase B is chosen on this year, the very last before it starts: badly planned
    2016-01, -02, -03    phase A starts; months 1 to 12 end by 2017-02
    2016-02              phase B starts; it has no effect, so what a naive comparison finds there is
                         regression to the mean
    2017-04              burglary is recorded by other rules: sheds and garages become residential and more
                         is recorded; a month after the last headline window, inside months 13 to 24
    2018-01              the last month with any effect

    >>> borough = simulate(BoroughParameters(areas=30, first_month="2015-01", last_month="2016-06",
    ...     burglaries_per_year=400, selection=("2015-01", "2015-06"), starts=("2016-01",), groups=1,
    ...     areas_in_group=3, phase_b_areas=0))
    >>> len(borough.areas)
    30
"""

from __future__ import annotations

from peelian.borough.files import VARIANTS, Variant, write
from peelian.borough.parameters import BoroughParameters, Factor
from peelian.borough.simulation import Borough, simulate

__all__ = ["VARIANTS", "Borough", "BoroughParameters", "Factor", "Variant", "simulate", "write"]
