"""What plug-ins with a network of the Hugging Face hub share: options, files, and provenance."""

from __future__ import annotations

import functools
from typing import Any, ClassVar

from semcom.checkpoints.hugging_face import Snapshot, check_id, find
from semcom.checkpoints.transformers_models import open_model, open_processor
from semcom.errors import InputError
from semcom.torch_device import check_device


class HubModel:
    """A network with its processor, whose files are looked for when it is first asked.

    Parameters
    ----------
    model
        Id on the Hugging Face hub, or a folder.
    revision
        Commit, tag or branch on the hub; the latest if empty. The commit that was used is recorded.
    threshold
        Lowest score of what is found, above 0 and below 1.
    device
        Device on which torch computes.

    Raises
    ------
    ValueError
        An option is out of range; when it is asked, also a model that is missing, damaged, of
        another architecture, or out of the user's reach.
    """

    name: ClassVar[str]
    """The plug-in's name."""
    architectures: ClassVar[dict[str, str]]
    """Classes of ``transformers`` by the ``model_type`` of a configuration."""
    processor_class: ClassVar[str]

    def __init__(self, model: str, revision: str, threshold: float, device: str) -> None:
        if not 0 < threshold < 1:
            raise InputError(f"{self.name}: threshold must be above 0 and below 1, got {threshold}")
        check_id(self.name, model)
        check_device(device)
        self._model, self._revision = model, revision
        self.threshold, self.device = threshold, device

    @functools.cached_property
    def _found(self) -> Snapshot:
        return find(self.name, self._model, self._revision)

    @functools.cached_property
    def network(self) -> Any:
        """The network in eval mode, opened when it is first asked for."""
        kind = self._found.kind
        if kind not in self.architectures:
            raise InputError(
                f"{self.name}: {self._found.folder} is of the architecture {kind or 'unknown'!r}; "
                f"choices: {', '.join(self.architectures)}"
            )
        return open_model(self.name, self._found, self.architectures[kind], device=self.device)

    @functools.cached_property
    def processor(self) -> Any:
        """What prepares pictures and words."""
        return open_processor(self.name, self._found, self.processor_class)

    @functools.cached_property
    def provenance(self) -> str:
        """The plug-in with its options and the commit, or the hash of the weights in a folder."""
        return self._found.provenance(self.name, self._model, threshold=self.threshold)
