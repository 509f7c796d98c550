"""The model card of trained weights, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from experiments.training.images import TrainingImages
from experiments.training.loop import Settings, State
from semcom.hashes import sha256_of

_ROWS = 12


def model_card(
    file: Path,
    state: State,
    settings: Settings,
    images: TrainingImages,
    metadata: Mapping[str, str],
) -> str:
    """Describe how weights came to be: data, time, settings, and the curve of the validation."""
    facts = {
        "file": f"`{file.name}`, SHA-256 `{sha256_of(file)}`",
        "made by": f"`{metadata['command']}`, commit {metadata['commit']}",
        **({"teacher": metadata["teacher"]} if "teacher" in metadata else {}),
        "images": f"{len(images.training)} to train on, {len(images.validation)} to validate on",
        "manifest": f"SHA-256 `{metadata['images']}`",
        "time": f"{metadata['minutes']} minutes, {state.step:,} steps of {settings.batch} "
        f"{metadata.get('unit', 'crops')}",
        **({"start": f"weights of SHA-256 `{metadata['start']}`"} if "start" in metadata else {}),
        "device": f"{settings.device}; {metadata['machine']}",
        "seed": str(settings.seed),
        "rollbacks": str(state.rollbacks),
    }
    lines = [
        f"# {metadata['model']}",
        "",
        *(f"- **{name}**: {text}" for name, text in facts.items()),
        "",
    ]
    lines += [f"{metadata['scores']}:", ""]
    columns = list(state.curve[-1])
    lines += ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    every = -(-len(state.curve) // _ROWS)
    shown = state.curve[::-1][::every][::-1]
    lines += ["| " + " | ".join(_cell(row[c]) for c in columns) + " |" for row in shown]
    return "\n".join(lines) + "\n"


def _cell(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.2f}"
