"""Any network of the SAM family on the Hugging Face hub, by its id or from a folder.

The network, its prompts and its masks: :mod:`semcom.segmenters.hf.network`. Without prompts, the
image is searched by :mod:`semcom.segmenters.everything`.
"""

from __future__ import annotations

import functools

import numpy as np

from semcom.checkpoints.hugging_face import Snapshot, check_id, find
from semcom.errors import InputError
from semcom.segmenters.everything import Everything, find_everything
from semcom.segmenters.hf.network import Network, open_network, see, segment_prompts
from semcom.torch_device import check_device
from semcom.types import Image, Mask, Prompts

DEFAULT = "facebook/sam2.1-hiera-tiny"
"""The smallest SAM 2.1: 39 million parameters, 156 MB, Apache-2.0."""


class HuggingFace:
    """The segmenter ``hf``.

    The files of the model are looked for when it is first asked, and fetched if they are not here.

    Parameters
    ----------
    model
        Id on the Hugging Face hub, or a folder with ``config.json`` and ``model.safetensors``.
    revision
        Commit, tag or branch on the hub; the latest if empty. The commit that was used is recorded.
    points_per_side, min_iou, min_stability, min_area
        See :class:`semcom.segmenters.everything.Everything`.
    device
        Device on which torch computes, for example ``"cpu"`` or ``"cuda"``.

    Raises
    ------
    ValueError
        An option is out of range; when it is asked, also a model that is missing, damaged or of
        another architecture.

    Examples
    --------
    >>> HuggingFace(model="facebook sam")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    channels.errors.InputError: hf: 'facebook sam' is neither a folder nor an id on the Hugging ...
    """

    def __init__(
        self,
        *,
        model: str = DEFAULT,
        revision: str = "",
        points_per_side: int = 12,
        min_iou: float = 0.88,
        min_stability: float = 0.95,
        min_area: int = 200,
        device: str = "cpu",
    ) -> None:
        check_id("hf", model)
        check_device(device)
        self.settings = Everything(
            points_per_side=points_per_side,
            min_iou=min_iou,
            min_stability=min_stability,
            min_area=min_area,
        )
        self.device = device
        self._model, self._revision = model, revision

    @functools.cached_property
    def _found(self) -> Snapshot:
        return find("hf", self._model, self._revision)

    @functools.cached_property
    def network(self) -> Network:
        """The network, opened when it is first asked for."""
        return open_network("hf", self._found, device=self.device)

    @functools.cached_property
    def provenance(self) -> str:
        """The segmenter with its options and the commit, or the hash of the weights in a folder."""
        usual = Everything()
        options = {
            name: value
            for name, value in vars(self.settings).items()
            if value != getattr(usual, name)
        }
        return self._found.provenance("hf", self._model, **options)

    def __call__(self, image: Image, prompts: Prompts = Prompts()) -> list[Mask]:  # noqa: B008
        """Segment ``image`` (H, W, 3) uint8; see :class:`semcom.segmenters.base.Segmenter`."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise InputError(f"image must be (H, W, 3) uint8, got {image.shape} {image.dtype}")
        prompts.check(*image.shape[:2])
        seen = see(self.network, image)
        if prompts:
            return segment_prompts(seen, prompts)
        return find_everything(seen, self.settings)
