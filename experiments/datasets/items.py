"""The images of a suite, given by data sets, files, folders or patterns.

``kodak``
    Kodak's 24 images (released for unrestricted use), fetched on first use from
    r0k.us/graphics/kodak and checked against their hashes.
``davis``
    Frames of DAVIS 2016 with their masks, which the user has to provide.
``gdd``, ``gsd``, ``msd``, ``pmd``, ``trans10k``
    Glass and mirrors with masks, which the user has to provide (:mod:`experiments.datasets.glass`).
``photos``
    Photos that come with scikit-image, with outlines of their main objects drawn for semcom.
``signs``
    The same photos with signs in them, text and codes, which semcom makes (extra ``tasks``).

The folder that ``SEMCOM_DATA`` names takes precedence: ``$SEMCOM_DATA/kodak`` and so on. Any folder
of images may be given by its path; masks are ``NAME_mask.png`` beside ``NAME.jpg``, or in a folder
``masks`` beside the folder ``images`` (:func:`semcom.images.mask_beside`). A path that is
named like an image but is not a file, such as a broken link, is left out with a note.
"""

from __future__ import annotations

import functools
import glob
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from channels.owner import expanded
from experiments.datasets import glass
from experiments.datasets.folder import ENVIRONMENT, data_folder
from experiments.path_text import from_text, readable
from semcom.errors import InputError
from semcom.hashes import sha256_of
from semcom.image_files import FOLDER, why_no_file
from semcom.images import images_in, is_mask, is_named_image, mask_beside

_SHOWN = 5  # copies that are named


@dataclass(frozen=True)
class Item:
    """One image of a suite."""

    path: Path
    mask: Path | None
    """Mask file beside the image, if there is one."""
    sha256: str
    """SHA-256 of the image's file."""
    mask_sha256: str
    """SHA-256 of the mask's file; empty if there is none."""

    @property
    def name(self) -> str:
        """Folder and file name, for display."""
        return readable(f"{self.path.parent.name}/{self.path.name}")


def find_items(
    names: Sequence[str],
    base: Path,
    *,
    most: int | None = None,
    masks_for: str = "",
    say: Callable[..., None] = lambda *_: None,
) -> list[Item]:
    """Find the images of a suite; files with the same content count once.

    Parameters
    ----------
    names
        Data sets, files, folders or patterns such as ``davis/*_00005.jpg``; the folder of a pattern
        may be a data set. The name of a data set always means the data set; write ``./kodak`` or
        ``kodak/`` for your own folder of that name. Relative paths are looked up in the working
        folder and then beside the suite; ``~`` is your home folder.
    base
        Folder of the suite.
    most
        Take only this many images, from the beginning.
    masks_for
        What needs a mask beside every image, for the message; empty if nothing does.
    say
        Function that receives notes on files that are left out.

    Raises
    ------
    ValueError
        If there is no such image, or a required mask is missing; the message says what to do.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> with TemporaryDirectory() as folder:
    ...     Image.new("RGB", (32, 32)).save(Path(folder) / "a.png")
    ...     items = find_items([f"{folder}/*.png"], Path())
    >>> [item.path.name for item in items]
    ['a.png']
    """
    if "" in names:
        raise InputError("an image needs a name, got ''; write . for the working folder")
    # Links stay: the mask is beside the link.
    chosen = (path for name in names for path in _paths(from_text(name), base, say))
    paths = [Path(path) for path in dict.fromkeys(map(os.path.abspath, chosen))]
    items: dict[tuple[str, str], Item] = {}
    copies = []
    for path in paths[:most]:
        item = _item(path)
        if masks_for and item.mask is None:
            raise InputError(
                f"{masks_for} needs the mask {mask_beside(path).name} of {path}, which does not "
                "exist"
            )
        if items.setdefault((item.sha256, item.mask_sha256), item) is not item:
            copies.append(item.name)
    if copies:
        more = f", … ({len(copies)} in all)" if len(copies) > _SHOWN else ""
        say(f"copies of other images count once: {', '.join(copies[:_SHOWN])}{more}")
    return list(items.values())


def _item(path: Path) -> Item:
    mask = mask_beside(path)
    found = None if why_no_file(mask) else mask
    return Item(path, found, sha256_of(path), sha256_of(found) if found else "")


def _paths(name: str, base: Path, say: Callable[..., None]) -> list[Path]:
    """Find the files for one name; a path that is not a file is refused, or left out of several."""
    first, slash, rest = name.partition("/")
    own = expanded(name)
    local = [folder / own for folder in (Path(), base)]
    if first in DATASETS and bool(slash) == bool(rest):
        folder = DATASETS[first]()
        local = [folder / rest if rest else folder]
    for path in local:
        why = why_no_file(path)
        if why is None:
            return [path]
        if why == FOLDER:
            found = images_in(path)
        else:
            found = _matching(path)
            if found == [path]:
                raise InputError(f"{path}: {why}")
        if kept := _files(found, say):
            return kept
        if found or why == FOLDER:
            raise InputError(f"{path}: no images {'in this folder' if why == FOLDER else 'here'}")
    raise InputError(
        f"images {name!r}: no such file or folder, nor a data set; choices: {', '.join(DATASETS)}"
    )


def _matching(pattern: Path) -> list[Path]:
    """Return the paths that match: those named like images, or else all but folders and masks."""
    every = map(Path, sorted(glob.glob(str(pattern))))  # noqa: PTH207 - it may be absolute
    found = [p for p in every if why_no_file(p) != FOLDER and not is_mask(p)]
    return [path for path in found if is_named_image(path)] or found


def _files(found: list[Path], say: Callable[..., None]) -> list[Path]:
    kept = []
    for path in found:
        if why := why_no_file(path):
            say(f"{path}: {why}; left out")
        else:
            kept.append(path)
    return kept


def _davis() -> Path:
    if folder := data_folder("davis"):
        return folder
    raise InputError(
        "data set davis is not here: put frames of DAVIS 2016 (https://davischallenge.org) as "
        f"NAME.jpg with NAME_mask.png into a folder davis, and its parent's path into {ENVIRONMENT}"
    )


def _kodak() -> Path:
    from experiments.datasets.kodak import fetch

    return data_folder("kodak") or fetch()


def _photos() -> Path:
    from experiments.datasets.photos import make

    return data_folder("photos") or make()


def _signs() -> Path:
    from experiments.datasets.signs import make

    return data_folder("signs") or make()


DATASETS: dict[str, Callable[[], Path]] = {
    **{"kodak": _kodak, "davis": _davis, "photos": _photos, "signs": _signs},
    **{name: functools.partial(glass.folder, name) for name in glass.GLASS},
}
