"""The errors of our own making."""

from __future__ import annotations


class InputError(ValueError):
    """Input that makes no sense: a value, a file or a combination that users can mend.

    The message says in one line what is wrong and what the choices are. Other errors are bugs.
    """
