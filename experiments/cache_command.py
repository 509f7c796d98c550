"""``semcom cache``: where encodings are kept, how much there is, and forgetting them."""

from __future__ import annotations

import click


@click.group()
def cache() -> None:
    """Encodings and masks that are kept on disk, so that nothing is done twice."""


@cache.command()
def path() -> None:
    """Print where they are kept."""
    from semcom.cache import ENVIRONMENT, folder

    click.echo(folder() or f"nowhere: {ENVIRONMENT} switches it off")


@cache.command()
def size() -> None:
    """Print how many bytes they take."""
    from semcom.cache import size as num_bytes

    click.echo(f"{num_bytes():,} bytes")


@cache.command()
def clear() -> None:
    """Delete them."""
    from semcom.cache import clear as forget

    forget()
