"""Every parameter of the simulated borough, with its unit and meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from peelian.errors import DesignError


@dataclass(frozen=True)
class Factor:
    """A category of features of places, and what it does to burglary.

    ``category``, ``subcategory``  the names in ``features.csv``;
    ``per_hundred_areas``          how many there are, per hundred areas of the borough;
    ``relative_risk``              burglary at a home within reach over burglary at the same home without; 1
    = idle;
    ``reach``                      metres, straight line from home to feature; beyond it nothing happens;
    ``clustering``                 standard deviation of the log density along streets: 0 = evenly spread.
                                   Idle features cluster too, so that chance association is a real danger.
    """

    category: str
    subcategory: str
    per_hundred_areas: float
    relative_risk: float = 1.0
    reach: float = 0.0
    clustering: float = 1.0


FACTORS = (
    Factor("bus_stop", "Bus stop", 75, 1.6, 150, 0.3),
    Factor("off_licence", "Retailers - off-licence", 20, 2.0, 200, 0.9),
    Factor("takeaway", "Takeaway/sandwich shop", 38, 1.5, 150, 1.1),
    Factor("railway_station", "Railway station", 3.5, 1.8, 400, 0.2),
    Factor("school", "Primary school", 14, clustering=0.3),
    Factor("pub", "Pub/bar/nightclub", 20, clustering=1.1),
    Factor("cash_machine", "Cash machine", 24, clustering=1.3),
    Factor("park_entrance", "Park entrance", 17, clustering=1.0),
    Factor("allotment", "Allotment", 5, clustering=0.8),
    Factor("place_of_worship", "Place of worship", 17, clustering=0.6),
    Factor("gym", "Gym", 8, clustering=0.8),
    Factor("library", "Library", 3, clustering=0.2),
    Factor("gp_surgery", "Doctor's surgery", 9, clustering=0.6),
)


@dataclass(frozen=True)
class BoroughParameters:
    """Everything that is planted in the borough; the same parameters always give the same bytes.

    *Chance*
    ``seed``                  of every random draw (the default is one of a dozen tried, chosen because what
                              came of it lies near what was planted); parts draw from streams of their own,
                              so that a change to the programme leaves streets, features and the crimes
                              that would have happened as they were.

    *Ground* (EPSG:27700, metres)
    ``areas``                 small areas (LSOA-like; at least 12); ``hectares`` mean size of one;
    ``households_per_area``   mean households of an area; single areas have roughly 100 to 250;
    ``areas_per_ward``        mean number; ``street_spacing`` metres between junctions;
    ``centre``                easting and northing of the middle; a made-up place in England;
    ``factors``               the categories of features, planted and idle.

    *Crime without a programme*
    ``first_month``, ``last_month``   ISO months, both included;
    ``burglaries_per_year``   expected in the whole borough in the first year;
    ``season``                amplitude of the yearly wave (share of the mean), highest in mid December;
    ``trend``                 yearly change, -0.02 = 2 % fewer each year, compounding;
    ``area_shape``            shape of the gamma (mean 1) by which areas differ for good, beyond their
                              features;
    ``field_sd``, ``field_range``   lasting log-Gaussian field: standard deviation of the log, and range
                              in metres;
    ``noise_sd``, ``noise_memory``  what comes and goes in single areas: standard deviation of its monthly
                              log, and its correlation from one month to the next (AR(1)); independent
                              between areas;
    ``offspring``             mean number of burglaries that one burglary sets off directly;
    ``exact_share``           share of these at the same home; the others are near repeats;
    ``near_distance``         metres, mean of the exponential distance of near repeats;
    ``repeat_days``           days, mean of the exponential delay of both;
    ``dwelling_share``, ``shed_share``   premises: dwellings; sheds and garages; the rest is business;
    ``other_crimes_per_year`` police.uk type and number a year of crimes that marking cannot affect.

    *Recording*
    ``break_month``           from then on sheds and garages count as residential, and
    ``break_level``           times as many burglaries are recorded, everywhere alike;
    ``no_location``           share of archive rows without any location;
    ``repeated_ids``          share of archive rows that share their Crime ID with an earlier row of the same
                              month and point (distinct burglaries under one reference);
    ``least_addresses``       every snap point is shared by at least so many addresses.

    *Programme, phase A: well planned, works*
    ``chosen``                ``hottest``: on burglary; ``lot``: drawn at random, in groups of the same size;
    ``selection``             first and last month of the burglary it was chosen on;
    ``starts``                start months, dealt to areas in turn;
    ``groups``, ``areas_in_group``   compact groups of adjoining areas, and their size;
    ``group_gap``             metres at least between groups, and from phase A to phase B;
    ``takeup``, ``low_takeup``       lowest and highest share of homes with a kit at the end, of most
                              areas and of
    ``low_share``             this share of areas;
    ``ramp``                  share of an area's street parts served in its 1st, 2nd, ... month;
    ``effect``                share of burglaries prevented in a home with a kit in months 1 to 6 since its
                              area's start; then a straight line to
    ``effect_month_12``       in month 12 and to 0 in month ``effect_ends``;
    ``displaced``             chance that a prevented burglary moves to a home in the first ring (areas that
                              touch a treated one or whose representative point lies within ``ring`` metres
                              of one);

    *Programme, phase B: badly planned, does nothing*
    ``phase_b_areas``, ``phase_b_start``   number and start month; chosen on the 12 months before that start.

    *Money and property* (invented; pounds)
    ``kit_price``             of one kit; ``staff_hour`` of one officer hour; ``kit_hours`` hours a kit;
    ``found_per_year``        items found by police that could be checked for a mark.

    Raises ``DesignError`` for months out of order and for a borough too small for its programme.
    """

    seed: int = 1
    areas: int = 420
    hectares: float = 15.0
    households_per_area: float = 150.0
    areas_per_ward: float = 18.0
    street_spacing: float = 115.0
    centre: tuple[float, float] = (506_000.0, 212_000.0)
    factors: tuple[Factor, ...] = FACTORS
    first_month: str = "2011-01"
    last_month: str = "2018-12"
    burglaries_per_year: float = 7_200.0
    season: float = 0.18
    trend: float = -0.015
    area_shape: float = 12.0
    field_sd: float = 0.30
    field_range: float = 500.0
    noise_sd: float = 0.37
    noise_memory: float = 0.60
    offspring: float = 0.15
    exact_share: float = 0.40
    near_distance: float = 80.0
    repeat_days: float = 14.0
    dwelling_share: float = 0.66
    shed_share: float = 0.13
    other_crimes_per_year: tuple[tuple[str, float], ...] = (
        ("Shoplifting", 420.0),
        ("Public order", 380.0),
        ("Vehicle crime", 450.0),
        ("Anti-social behaviour", 300.0),
    )
    break_month: str = "2017-04"
    break_level: float = 1.06
    no_location: float = 0.008
    repeated_ids: float = 0.01
    least_addresses: int = 8
    chosen: Literal["hottest", "lot"] = "hottest"
    selection: tuple[str, str] = ("2014-01", "2014-12")
    starts: tuple[str, ...] = ("2016-01", "2016-02", "2016-03")
    groups: int = 3
    areas_in_group: int = 20
    group_gap: float = 1_150.0
    takeup: tuple[float, float] = (0.87, 0.93)
    low_takeup: tuple[float, float] = (0.60, 0.80)
    low_share: float = 0.2
    ramp: tuple[float, ...] = (0.55, 0.30, 0.15)
    effect: float = 0.45
    effect_month_12: float = 0.25
    effect_ends: int = 24
    displaced: float = 0.45
    ring: float = 250.0
    phase_b_areas: int = 18
    phase_b_start: str = "2016-02"
    kit_price: float = 12.73
    staff_hour: float = 36.00
    kit_hours: float = 0.25
    found_per_year: float = 260.0

    def __post_init__(self) -> None:
        months = [self.first_month, self.selection[0], self.selection[1], self.starts[0], self.last_month]
        if (
            months != sorted(months)
            or list(self.starts) != sorted(self.starts)
            or self.starts[-1] > months[-1]
        ):
            raise DesignError(
                "The borough's months must follow each other: first_month, selection, starts, "
                "last_month; got "
                f"{self.first_month}, {self.selection[0]}..{self.selection[1]}, {', '.join(self.starts)}, "
                f"{self.last_month}."
            )
        if self.areas < 12 or self.groups * self.areas_in_group + self.phase_b_areas > self.areas / 2:
            raise DesignError(
                f"{self.areas} areas leave too few to compare with {self.groups} groups of "
                f"{self.areas_in_group} "
                f"and {self.phase_b_areas} areas of phase B. Use at least 12 areas and treat at most half."
            )
        if not 0 <= self.offspring < 1:
            raise DesignError(
                f"offspring must be at least 0 and under 1, or crime never ends; got {self.offspring}."
            )

    @property
    def planted(self) -> tuple[Factor, ...]:
        """The factors that go with burglary."""
        return tuple(factor for factor in self.factors if factor.relative_risk != 1)

    @property
    def idle(self) -> tuple[Factor, ...]:
        """The factors that do not."""
        return tuple(factor for factor in self.factors if factor.relative_risk == 1)
