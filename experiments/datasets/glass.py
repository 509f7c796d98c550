"""Pictures of glass and mirrors with true masks, which the user has to provide.

Their authors publish them with pictures in a folder ``image`` or ``images``, and masks of the same
names in ``mask`` or ``masks`` beside it, which is where they are looked for: in the test set
``$SEMCOM_DATA/gdd/test``, or directly in ``$SEMCOM_DATA/gdd``, and so on.
"""

from __future__ import annotations

from pathlib import Path

from experiments.datasets.folder import ENVIRONMENT, data_folder
from semcom.errors import InputError
from semcom.images import PICTURE_FOLDERS

GLASS = {
    "gdd": ("GDD, glass", "https://mhaiyang.github.io/CVPR2020_GDNet"),
    "gsd": ("GSD, glass", "https://jiaying.link/cvpr2021-gsd"),
    "msd": ("MSD, mirrors", "https://mhaiyang.github.io/ICCV2019_MirrorNet"),
    "pmd": ("PMD, mirrors", "https://jiaying.link/cvpr2020-pgd"),
    "trans10k": ("Trans10K, glass", "https://xieenze.github.io/projects/TransLAB/TransLAB.html"),
}
"""Name and page of each data set."""


def folder(name: str) -> Path:
    """Return the folder of a data set's pictures.

    Raises
    ------
    ValueError
        The data set is not here, or has several folders of pictures.
    """
    title, page = GLASS[name]
    root = data_folder(name)
    if root is None:
        raise InputError(
            f"data set {name} ({title}) is not here: get it from {page}, put its folders image and "
            f"mask into a folder {name}, and its parent's path into {ENVIRONMENT}"
        )
    for part in (root / "test", root):
        found = [place for one in PICTURE_FOLDERS for place in sorted(part.glob(f"**/{one}"))]
        if len(found) > 1:
            names = ", ".join(f"{name}/{place.relative_to(root)}" for place in found)
            raise InputError(f"data set {name} has several folders of pictures; name one: {names}")
        if found:
            return found[0]
    return root
