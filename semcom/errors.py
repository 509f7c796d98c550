"""The error that semcom raises for input that makes no sense.

:class:`InputError` is a ``ValueError`` that users can mend. Every other ``ValueError`` is a bug.
"""

from __future__ import annotations

from channels.errors import InputError as InputError
