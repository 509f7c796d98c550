"""Pictures that were disturbed elsewhere: by a network that paints weather, by hand, in reality."""

from __future__ import annotations

import copy
import hashlib
from pathlib import Path

from channels.owner import expanded
from semcom.disturbances.pin import check_pin
from semcom.errors import InputError
from semcom.hashes import sha256_of
from semcom.images import SUFFIXES, load_image
from semcom.types import Image, Region


class FromFolder:
    """The picture of the same name and size in a folder.

    Parameters
    ----------
    path
        The folder. If it has folders ``1`` to ``5``, the one of the severity is used; otherwise the
        folder itself, whatever the severity. The ending of the file may differ. Names must be
        unique, in the folder and among the pictures that are disturbed.
    sha256
        Beginning of the hash of all names and pictures; other ones are refused.
    """

    def __init__(self, *, path: str = "", sha256: str = "") -> None:
        self._folder, self._source = expanded(path), ""
        if not path or not self._folder.is_dir():
            raise InputError(f"from_folder: there is no folder {path!r}: from_folder:path=DIR")
        files = sorted(self._folder.glob("*.*")) + sorted(self._folder.glob("[1-5]/*.*"))
        known = "".join(
            f"{file.relative_to(self._folder)} {sha256_of(file)} "
            for file in files
            if file.suffix.lower() in SUFFIXES and file.is_file()
        )
        self.identity = hashlib.sha256(known.encode(errors="surrogateescape")).hexdigest()
        check_pin(f"from_folder: {path}", self.identity, sha256)

    def of(self, source: str | None) -> FromFolder:
        """Return the disturbance of the picture in a file."""
        if not source:
            raise InputError("from_folder: this picture comes from no file and has no name")
        known = copy.copy(self)
        known._source = source
        return known

    def __call__(self, image: Image, *, severity: int, seed: int, truth: Region | None) -> Image:
        """Read the picture; see :class:`semcom.disturbances.base.Disturbance`."""
        level = self._folder / str(severity)
        folder = level if level.is_dir() else self._folder
        name = Path(self._source).stem
        files = [
            file
            for file in sorted(folder.iterdir())
            if file.stem == name and file.suffix.lower() in SUFFIXES and file.is_file()
        ]
        if len(files) != 1:
            count = len(files) or "no"
            raise InputError(f"from_folder: {folder} has {count} pictures named {name!r}")
        seen, _ = load_image(files[0])
        if seen.shape != image.shape:
            (height, width, _), (rows, columns, _) = seen.shape, image.shape
            raise InputError(
                f"from_folder: {files[0]} has {width}x{height} pixels, and the picture of "
                f"{self._source}, shrunk or not, {columns}x{rows}"
            )
        return seen
