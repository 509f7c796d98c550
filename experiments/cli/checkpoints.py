"""The command ``weights``: MobileSAM's checkpoint."""

from __future__ import annotations

import click


@click.group()
def weights() -> None:
    """Manage the checkpoint of MobileSAM, the segmenter."""


@weights.command()
def fetch() -> None:
    """Download the checkpoint into the cache and verify it."""
    from semcom.checkpoints import mobile_sam as checkpoint

    click.echo(checkpoint.fetch())


@weights.command()
def path() -> None:
    """Print the path of the checkpoint, whether or not it is there."""
    from semcom.checkpoints import mobile_sam as checkpoint

    click.echo(checkpoint.path())


@weights.command()
def check() -> None:
    """Verify the size and hash of the checkpoint."""
    from semcom.checkpoints import mobile_sam as checkpoint

    checkpoint.check()
    click.echo(f"{checkpoint.path()}: the official MobileSAM checkpoint")
