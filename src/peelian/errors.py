"""The errors of Peelian: one root, three kinds, each with its own exit code.

An error says what is wrong, where it is, what was expected and what to do. It is raised for a user's
mistake; anything else that is raised is a defect of ours.

    Error               10  the project or the command is wrong
      DataError         11  a file, a row or a value is wrong
      DesignError       12  the question cannot be answered that way
      PrivacyError      13  the answer would tell too much about somebody
"""

from __future__ import annotations


class Error(Exception):
    """The project, the command or its configuration is wrong. Root of every error of ours.

    >>> Error("peelian.toml has no [places] table.").exit_code
    10
    """

    exit_code = 10

    @property
    def message(self) -> str:
        """The whole message, as one would say it to the user."""
        return str(self)


class DataError(Error):
    """A file, a row or a value is wrong: what, where, what was expected, what to do.

    >>> DataError("areas.gpkg: no column 'households'.").exit_code
    11
    """

    exit_code = 11


class DesignError(Error):
    """The question cannot be answered with these data or by this design.

    >>> DesignError("All areas are treated: nothing is left to compare with.").exit_code
    12
    """

    exit_code = 12


class PrivacyError(Error):
    """The answer would tell more about somebody than is allowed.

    >>> PrivacyError("Table 3 would reveal a count below 5.").exit_code
    13
    """

    exit_code = 13


def some(values: object, most: int = 5) -> str:
    """The first few of many values, for an error message: ``a, b, c and 12 more``.

    >>> some(["a", "b", "c"], most=2)
    'a, b and 1 more'
    >>> some(["a", "b"])
    'a, b'
    """
    items = [str(value) for value in values]  # type: ignore[attr-defined]
    if len(items) <= most:
        return ", ".join(items)
    return f"{', '.join(items[:most])} and {len(items) - most:,} more"
