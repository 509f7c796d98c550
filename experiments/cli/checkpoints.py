"""The command ``weights``: MobileSAM's checkpoint."""

from __future__ import annotations

import click


@click.group()
def weights() -> None:
    """MobileSAM's checkpoint."""


@weights.command()
def fetch() -> None:
    """Download the checkpoint into the cache and check it."""
    from semcom.checkpoints import mobile_sam as checkpoint

    click.echo(checkpoint.fetch())


@weights.command()
def path() -> None:
    """Print where the checkpoint is, or would be."""
    from semcom.checkpoints import mobile_sam as checkpoint

    click.echo(checkpoint.path())


@weights.command()
def check() -> None:
    """Check the checkpoint's size and hash."""
    from semcom.checkpoints import mobile_sam as checkpoint

    checkpoint.check()
    click.echo(f"{checkpoint.path()}: the official MobileSAM checkpoint")
