"""The errors of our own making."""

from __future__ import annotations


class InputError(ValueError):
    """Input that makes no sense: a value, a file or a combination that users can mend.

    The message says in one line what is wrong and what the choices are. Other errors are bugs.

    Examples
    --------
    >>> from channels import CHANNELS
    >>> try:
    ...     CHANNELS.create("awng")
    ... except InputError as error:
    ...     print(str(error).partition(";")[0])
    unknown channel 'awng' (did you mean 'awgn'?)
    """
