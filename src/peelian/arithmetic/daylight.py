"""Daylight: hours from sunrise to sunset, from the day of the year and the latitude."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

SUN_EDGE = 0.8333  # degrees below the horizon at which its upper edge, bent by the air, is gone


def daylight_hours(day_of_year: np.ndarray, latitude: float) -> np.ndarray:
    """Hours from sunrise to sunset on days of the year (1 to 366) at a latitude in degrees north.

    The CBM model; sunrise and sunset are when the upper edge of the sun meets a level horizon, as the air
    bends it. Source: Forsythe, Rykiel, Stahl, Wu and Schoolfield (1995), Ecological Modelling 80, 87-95,
    equations 1 to 3.

    >>> import numpy as np
    >>> daylight_hours(np.array([172, 355]), 51.5).round(1).tolist()
    [16.6, 7.8]
    """
    import numpy as np

    day = np.asarray(day_of_year, float)
    revolution = 0.2163108 + 2 * np.arctan(0.9671396 * np.tan(0.00860 * (day - 186)))
    declination = np.arcsin(0.39795 * np.cos(revolution))
    north = np.radians(min(max(latitude, -89.999), 89.999))
    above = np.sin(np.radians(SUN_EDGE)) + np.sin(north) * np.sin(declination)
    cosine = np.clip(above / (np.cos(north) * np.cos(declination)), -1, 1)
    return np.asarray(24 - 24 / np.pi * np.arccos(cosine))
