"""The contract of segmenters, and the table of those that semcom ships."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from channels.registry import Entry, Registry
from semcom.types import Image, Mask, Prompts


class Masks(list[Mask]):
    """A list of masks with notes for the user, which a segmenter may return."""

    def __init__(self, masks: Iterable[Mask] = (), notes: Iterable[str] = ()) -> None:
        super().__init__(masks)
        self.notes = tuple(notes)
        """One line each."""


class Segmenter(Protocol):
    """A function that finds the segments of an image, built by ``SEGMENTERS.create(spec)``.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((32, 48, 3), dtype=np.uint8)
    >>> (mask,) = SEGMENTERS.create("whole_image")(image)
    >>> mask.pixels.shape, bool(mask.pixels.all())
    ((32, 48), True)
    """

    def __call__(self, image: Image, prompts: Prompts = Prompts()) -> list[Mask]:  # noqa: B008
        """Segment ``image`` (H, W, 3) uint8.

        With prompts: one mask per prompt, in their order (points first, then boxes), of the segment
        that the prompt marks. Without: all segments found, in any order (``rank`` sorts them).

        Texts among the prompts have become boxes before (:mod:`semcom.importance.by_text`), unless
        the segmenter has an attribute ``takes_text``, which is true. It then returns as many masks
        for each text as it finds, labelled with the text.
        """
        ...


SEGMENTERS = Registry(
    "segmenter",
    [
        Entry(
            "mobile_sam",
            "semcom.segmenters.mobile_sam.segmenter:MobileSam",
            "MobileSAM: points, boxes, and 'everything' on a grid",
            requires=("mobile_sam", "timm", "torchvision"),
        ),
        Entry(
            "graph",
            "semcom.segmenters.graph.segmenter:Graph",
            "regions of superpixels, ranked by objectness, and GrabCut; no weights needed",
        ),
        Entry(
            "hf",
            "semcom.segmenters.hf.segmenter:HuggingFace",
            "SAM, SlimSAM, SAM-HQ, SAM 2.1 or EdgeTAM from the Hugging Face hub (option model=ID)",
            requires=("transformers",),
            extra="hf",
        ),
        Entry(
            "sam3",
            "semcom.segmenters.sam3:Sam3",
            "SAM 3: everything that a text names (gated: needs your token)",
            requires=("transformers",),
            extra="hf",
        ),
        Entry(
            "from_file",
            "semcom.segmenters.from_file.segmenter:FromFile",
            "masks from a file: label map, NumPy, COCO, SAM or labelme JSON (option path=FILE)",
        ),
        Entry(
            "median",
            "semcom.segmenters.median:Median",
            "another segmenter, asked several times; the answers vote (option of=NAME)",
        ),
        Entry(
            "blurred",
            "semcom.segmenters.blurred:Blurred",
            "another segmenter, which sees the picture blurred (option of=NAME)",
        ),
        Entry(
            "ocr",
            "semcom.segmenters.signs:Ocr",
            "all lines of text, found by an OCR's detector",
            requires=("rapidocr_onnxruntime",),
            extra="tasks",
        ),
        Entry(
            "codes",
            "semcom.segmenters.signs:Codes",
            "all QR and bar codes",
            requires=("zxingcpp",),
            extra="tasks",
        ),
        Entry(
            "tile",
            "semcom.segmenters.tile:Tile",
            "one tile of a grid (options rows, columns, row, column)",
        ),
        Entry(
            "whole_image",
            "semcom.segmenters.whole_image:WholeImage",
            "one mask that covers the whole image",
        ),
    ],
    group="semcom.segmenters",
)
