"""Files of weights in the cache of torch, fetched on first use and checked by their hash."""

from __future__ import annotations

from http.client import HTTPException
from pathlib import Path

from semcom.checkpoints.download import WeightsUnavailable, reason
from semcom.errors import InputError
from semcom.hashes import sha256_of


def cached_file(url: str, digits: str, *, who: str, instead: str) -> Path:
    """Return a file in torch's cache, fetched if it is not there.

    Parameters
    ----------
    url
        Address, which ends in the name of the file.
    digits
        Its SHA-256 in lower-case hexadecimal, or the beginning of it.
    who
        Who needs it, for messages.
    instead
        How the user may name another file, for messages.

    Raises
    ------
    ValueError
        It is not there and cannot be fetched, or has another hash; the message says where to put
        it.
    """
    import torch

    name = url.rpartition("/")[2]
    file = Path(torch.hub.get_dir()) / "checkpoints" / name
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(url, str(file), hash_prefix=digits, progress=False)
        except (OSError, RuntimeError, HTTPException) as error:
            raise WeightsUnavailable(
                f"{who} needs {name}, which could not be fetched from {url} ({reason(error)}): "
                f"put it at {file}, or name a file with {instead}"
            ) from error
    if not sha256_of(file).startswith(digits):
        raise InputError(f"{file} is damaged: its SHA-256 does not begin with {digits}")
    return file
