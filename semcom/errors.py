"""The errors that semcom raises: input that makes no sense, and what may happen to a frame.

:class:`InputError` is a ``ValueError`` that users can mend. Every other ``ValueError`` is a bug.
"""

from __future__ import annotations

from channels.errors import InputError as InputError
