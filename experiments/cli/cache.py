"""``semcom cache``: shows where encodings are kept and how much there is, and deletes them."""

from __future__ import annotations

import click


@click.group(invoke_without_command=True)
@click.pass_context
def cache(ctx: click.Context) -> None:
    """Show where semcom keeps encodings and masks for reuse, and how much space they take."""
    if ctx.invoked_subcommand is None:
        from semcom.cache import folder
        from semcom.cache import size as num_bytes

        kept = f": {num_bytes() / 1e6:,.1f} MB; semcom cache clear deletes them"
        click.echo(f"{_place()}{kept if folder() else ''}")


@cache.command()
def path() -> None:
    """Print the folder of cached encodings and masks."""
    click.echo(_place())


def _place() -> str:
    from semcom.cache import ENVIRONMENT, folder

    return str(folder() or f"nowhere: {ENVIRONMENT} switches it off")


@cache.command()
def size() -> None:
    """Print the size of all cached encodings and masks."""
    from semcom.cache import size as num_bytes

    click.echo(f"{num_bytes():,} bytes")


@cache.command()
def clear() -> None:
    """Delete all cached encodings and masks."""
    from semcom.cache import clear as forget

    forget()
