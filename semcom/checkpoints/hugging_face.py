"""Models of the Hugging Face hub, or of folders in its form: found, fetched and checked.

Weights are read from safetensors files alone, which hold numbers and nothing else; a model that
asks to run code of its own is refused. The token of gated models is the one that the package
``huggingface_hub`` finds (``HF_TOKEN``, or ``hf auth login``); its ``HF_HUB_OFFLINE`` and
``HF_HOME`` hold as well.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from channels.owner import expanded
from channels.registry import spec_of
from semcom.checkpoints.download import WeightsUnavailable
from semcom.checkpoints.user_code import first_line
from semcom.errors import InputError
from semcom.hashes import sha256_of

NEEDED = ("*.json", "*.txt", "*.model", "model*.safetensors")
"""Files that are fetched of a model: its configuration, its words, and its weights."""
_COMMIT = re.compile("[0-9a-f]{40}")
_DIGITS = 12


@dataclass(frozen=True)
class Snapshot:
    """The files of a model, at one state of it."""

    folder: Path
    revision: str
    """The commit on the hub; empty for the user's own folder."""

    @property
    def kind(self) -> str:
        """The architecture that the configuration names, for example ``"sam2"``."""
        return str(self.json("config.json").get("model_type", ""))

    def json(self, name: str) -> dict[str, Any]:
        """Read a file of settings; empty if there is none.

        Raises
        ------
        ValueError
            It is no JSON file, or asks to run code.
        """
        file = self.folder / name
        if not file.is_file():
            return {}
        try:
            content = json.loads(file.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(f"{file} is not readable as JSON ({first_line(error)})") from None
        if not isinstance(content, dict):
            raise InputError(f"{file} holds no settings: it must be a JSON object")
        if "auto_map" in json.dumps(content):
            raise InputError(f"{file} asks to run code of its own (auto_map), which is refused")
        return content

    def provenance(self, name: str, model: str, **options: Any) -> str:
        """Describe what was opened so that it can be opened again: a plug-in with its options.

        A model of the hub has its commit as an option; a folder is followed by the hashes
        of its weights and of its settings.
        """
        if self.revision:
            return spec_of(name, model=model, revision=self.revision, **options)
        settings = sorted(file for file in self.folder.glob("*.json") if file.is_file())
        digests = [_of_all(files) for files in (self.weights, settings)]
        weights, how = (digest[:_DIGITS] for digest in digests)
        return f"{spec_of(name, model=model, **options)} (sha256 {weights}, settings {how})"

    @property
    def weights(self) -> list[Path]:
        """The files of weights, sorted."""
        return sorted(self.folder.glob("model*.safetensors"))


def _of_all(files: Sequence[Path]) -> str:
    """Return the SHA-256 of a file, or that of the hashes of several."""
    digests = [sha256_of(file) for file in files]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def find(who: str, model: str, revision: str = "") -> Snapshot:
    """Find a model: the user's folder, or one of the hub, which is fetched if it is not here.

    Parameters
    ----------
    who
        The plug-in that asks, in messages.
    model
        Id on the hub (``"facebook/sam2.1-hiera-tiny"``), or the path of a folder.
    revision
        Commit, tag or branch on the hub; the default branch if empty. A commit that is here is not
        asked for again.

    Raises
    ------
    ValueError
        In one line: no such folder or id, no access, no connection, or a folder without
        configuration or without safetensors weights.
    """
    folder = expanded(model)
    if folder.is_dir() or folder.is_absolute() or model.startswith((".", "~")):
        if not folder.is_dir():
            raise InputError(f"{who}: {model}: no such folder")
        if revision:
            raise InputError(f"{who}: {model} is a folder and has no revision {revision!r}")
        return _checked(who, Snapshot(folder, ""))
    fetched = _fetched(who, model, revision)
    return _checked(who, Snapshot(fetched, fetched.name))


def check_id(who: str, model: str) -> None:
    """Refuse what is neither the path of a folder nor the form of an id, without looking."""
    if not model:
        raise InputError(f"{who}: model must be an id on the Hugging Face hub or a folder")
    if expanded(model).exists() or model.startswith((".", "~", "/")):
        return
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", model):
        raise InputError(
            f"{who}: {model!r} is neither a folder nor an id on the Hugging Face hub, such as "
            "facebook/sam2.1-hiera-tiny"
        )


def _checked(who: str, found: Snapshot) -> Snapshot:
    if not (found.folder / "config.json").is_file():
        raise InputError(f"{who}: {found.folder} holds no config.json, so it is no model")
    if not found.weights:
        others = [f.name for f in found.folder.iterdir() if f.suffix in (".bin", ".pt", ".pth")]
        but = f"; {', '.join(sorted(others))} may hold code and is not read" if others else ""
        raise InputError(f"{who}: {found.folder} holds no weights as model.safetensors{but}")
    return found


def _fetched(who: str, model: str, revision: str) -> Path:
    from huggingface_hub import errors, snapshot_download
    from huggingface_hub.constants import HF_HUB_CACHE

    def download(**options: Any) -> Path:
        return Path(
            snapshot_download(
                model, revision=revision or None, allow_patterns=list(NEEDED), **options
            )
        )

    page = f"https://huggingface.co/{model}"
    at = f" at revision {revision}" if revision else ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if _COMMIT.fullmatch(revision):
            with contextlib.suppress(errors.LocalEntryNotFoundError):
                return download(local_files_only=True)
        try:
            return download()
        except errors.GatedRepoError:
            why = (
                f"is gated: accept its licence at {page}, then set HF_TOKEN or run 'hf auth login'"
            )
        except errors.RevisionNotFoundError:
            why = f"has no revision {revision!r}; see {page}/commits"
        except errors.RepositoryNotFoundError:
            why = f"is no model at {page}, or needs a token that may see it (HF_TOKEN)"
        except errors.HFValidationError:
            why = "is no id of a model on the Hugging Face hub"
        except Exception as error:  # what the network does, and httpx's ways to say so
            rev = f" --revision {revision}" if revision else ""
            raise WeightsUnavailable(
                f"{who}: could not fetch {model}{at} from huggingface.co ({_reason(error)}): where "
                f"there is a connection, run 'hf download {model}{rev} --local-dir FOLDER' and "
                f"give model=FOLDER, or copy the cache of another machine to {HF_HUB_CACHE}"
            ) from error
    raise WeightsUnavailable(f"{who}: {model} {why}")


def _reason(error: BaseException) -> str:
    """Say in some words why a download failed."""
    chain = [one for one in (error, error.__cause__) if one is not None]
    for one in chain:
        if (response := getattr(one, "response", None)) is not None:
            return f"HTTP status {response.status_code}"
    names = {type(one).__name__ for one in chain}
    if "OfflineModeIsEnabled" in names or "outgoing traffic has been disabled" in str(error):
        return "HF_HUB_OFFLINE is set, and it is not in the cache"
    return (
        "no connection" if names & {"ConnectError", "ConnectTimeout"} else first_line(error)[:120]
    )
