"""Pictures that were disturbed elsewhere: by a network that paints weather, by hand, in reality."""

from __future__ import annotations

import copy
import hashlib
from pathlib import Path

from channels.owner import expanded
from semcom.disturbances.base import SEVERITIES
from semcom.disturbances.pin import check_pin
from semcom.errors import InputError
from semcom.hashes import sha256_of
from semcom.images import SUFFIXES, load_image, peek
from semcom.sizes import Size, size_of
from semcom.types import Image, Region


class FromFolder:
    """The picture of the same name and size in a folder.

    Parameters
    ----------
    path
        The folder. If it has any of the folders ``1`` to ``5``, that of the severity is used, which
        must be there; otherwise the folder itself, whatever the severity. The ending of the file
        may differ. Names must be unique, in the folder and among the pictures that are disturbed.
    sha256
        Beginning of the hash of all names and pictures; other ones are refused.
    """

    def __init__(self, *, path: str = "", sha256: str = "") -> None:
        self._folder, self._source = expanded(path), ""
        if not path or not self._folder.is_dir():
            raise InputError(f"from_folder: there is no folder {path!r}: from_folder:path=DIR")
        files = sorted(self._folder.glob("*.*")) + sorted(self._folder.glob("[1-5]/*.*"))
        files = [file for file in files if file.suffix.lower() in SUFFIXES and file.is_file()]
        self._named: dict[tuple[Path, str], list[Path]] = {}
        for file in files:
            self._named.setdefault((file.parent, file.stem), []).append(file)
        known = "".join(f"{file.relative_to(self._folder)} {sha256_of(file)} " for file in files)
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
        file = self._file(self._source, severity)
        seen, _ = load_image(file)
        _check_size(file, size_of(seen), self._source, size_of(image))
        return seen

    def check_source(self, source: str, severity: int) -> None:
        """Refuse the picture in a file that has none here, or one of another size.

        The heads of the files tell their sizes; pixels are decoded only where these differ.
        """
        file = self._file(source, severity)
        if peek(file) != peek(source):
            seen, clean = (size_of(load_image(one)[0]) for one in (file, source))
            _check_size(file, seen, source, clean)

    def _file(self, source: str, severity: int) -> Path:
        """Return the file of the disturbed picture."""
        levels = [str(level) for level in SEVERITIES if (self._folder / str(level)).is_dir()]
        if levels and str(severity) not in levels:
            raise InputError(
                f"from_folder: {self._folder} has no folder {severity} for severity {severity}, "
                f"only {', '.join(levels)}"
            )
        folder = self._folder / str(severity) if levels else self._folder
        name = Path(source).stem
        files = self._named.get((folder, name), [])
        if len(files) != 1:
            count = len(files) or "no"
            raise InputError(f"from_folder: {folder} has {count} pictures named {name!r}")
        return files[0]


def _check_size(file: Path, seen: Size, source: str, clean: Size) -> None:
    if seen != clean:
        (height, width), (rows, columns) = seen, clean
        raise InputError(
            f"from_folder: {file} has {width}x{height} pixels, and the picture of {source}, shrunk "
            f"or not, {columns}x{rows}"
        )
