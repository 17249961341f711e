"""The command line: ``gateway demo | serve | sandbox | preview | replay | keys | doctor``."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, NoReturn

import typer

from app.errors import GatewayError, Invalid

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Webhooks in, Klaviyo events out, exactly once.")
keys = typer.Typer(no_args_is_help=True, help="Operator keys for the REST API, and the master key.")
cli.add_typer(keys, name="keys")

Port = Annotated[int, typer.Option(min=0, max=65535, help="TCP port.")]


def main() -> None:
    """Run the command line; what goes wrong on purpose is one message, not a trace."""
    try:
        cli()
    except GatewayError as error:
        fail(str(error))


def fail(text: str) -> NoReturn:
    """Say why and end with code 1."""
    typer.secho(text, fg="red", err=True)
    raise SystemExit(1)


@cli.command()
def demo(port: Port = 8080) -> None:
    """Try everything here: a sandbox Klaviyo, a stand-in Centra, sample webhooks, all on this machine."""
    from app.demo import run

    run(port)


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Port = 8080,
    no_work: Annotated[
        bool, typer.Option("--no-work", help="Only take webhooks; do not translate or deliver.")
    ] = False,
    lost_key: Annotated[
        bool, typer.Option("--lost-key", help="Start although no stored secret opens, to set them all again.")
    ] = False,
) -> None:
    """Take webhooks, translate them, deliver to Klaviyo, and answer the REST API."""
    from app.listen import listen
    from app.main import create_app
    from app.settings import load
    from app.store.sqlite import tell_address
    from app.telemetry import configure

    configure()
    settings = load()

    def announce(url: str) -> None:
        tell_address(settings.url, url)
        typer.echo(f"The gateway listens on {url}; its docs: {url}/docs", err=True)

    listen(create_app(settings, work=not no_work, lost_key=lost_key), host, port, announce)


@cli.command()
def work() -> None:
    """Translate and deliver only: beside other processes on the same PostgreSQL database."""
    import asyncio

    from app.main import work as run
    from app.settings import load
    from app.telemetry import configure

    settings = load()
    if not settings.url.startswith("postgresql://"):
        fail("gateway work shares a database with other processes, which takes PostgreSQL: use gateway serve")
    configure()
    asyncio.run(run(settings))


@cli.command()
def sandbox(
    port: Port = 8081,
    key: Annotated[str, typer.Option(help="A private key to be ready at start.")] = "pk_sandbox",
    account: Annotated[str, typer.Option(help="The account it opens, also its public key.")] = "SANDBX",
) -> None:
    """A stand-in Klaviyo by Klaviyo's rules, with a ledger of what it was sent."""
    from app.klaviyo.sandbox import Key, run

    def announce(url: str) -> None:
        typer.echo(f"sandbox Klaviyo on {url}  ledger: {url}/sandbox/ledger?kind=events")
        typer.echo(f"ready: private key {key}, account and public key {account}")

    try:
        run(port, keys=[Key(key, account)], announce=announce)
    except OSError as error:
        fail(f"The sandbox cannot listen on port {port}: {error.strerror}. Give another with --port.")


@cli.command()
def preview(
    platform: Annotated[str, typer.Argument(help="centra, ...", show_default=False)],
    file: Annotated[str, typer.Argument(help="The webhook's body; - is standard input.", show_default=False)],
    door: Annotated[str | None, typer.Option(help="The door it comes in by; else guessed from the body.")] = None,
    settings: Annotated[str | None, typer.Option(help="JSON file with the connection's settings.")] = None,
    answers: Annotated[
        str | None, typer.Option(help='JSON file with the platform\'s answers: {"order:20551": {...}}.')
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what POST /api/preview answers.")] = False,
) -> None:
    """Show what Klaviyo would be sent for a webhook. Needs no database; stores, fetches and sends nothing.

    The exit code is 1 when an event is unknown or quarantined.
    """
    import orjson
    from rich.console import Console

    from app import preview as asked

    try:
        given = asked.read_json(settings), asked.read_json(answers)
        results, assumed = asked.preview(platform, asked.read(file), door, *given)
    except Invalid as error:
        fail(f"These settings do not fit {platform}: {error}. Give others with --settings FILE.")
    if assumed:
        typer.echo(f"with {assumed}; give your own with --settings FILE", err=True)
    if json:
        typer.echo(orjson.dumps(asked.as_json(results), option=orjson.OPT_INDENT_2).decode())
    else:
        console = Console(highlight=False)
        with console.capture() as shown:
            asked.show(results, console)
        typer.echo("\n".join(line.rstrip() for line in shown.get().splitlines()))
    raise SystemExit(1 if any(asked.state_of(result) in asked.FINDINGS for result in results) else 0)


@cli.command()
def replay(
    ids: Annotated[
        list[int] | None, typer.Argument(help="Ids of webhooks.", min=1, max=2**63 - 1, show_default=False)
    ] = None,
    state: Annotated[str | None, typer.Option(help="All that are quarantined, unknown, ignored or mapped.")] = None,
    connection: Annotated[str | None, typer.Option(help="With --state: only of this connection.")] = None,
    since: Annotated[str, typer.Option(help="With --state: received then or later; ISO 8601.")] = "1970-01-01",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count them.")] = False,
    url: Annotated[str | None, typer.Option(help="Through the gateway that runs here.")] = None,
    key: Annotated[str, typer.Option(help="With --url: an operator key.", envvar="GATEWAY_KEY")] = "",
) -> None:
    """Translate stored webhooks again with today's code and settings. What was sent before is not sent twice."""
    asyncio.run(_replay(ids or [], state, connection, since, dry_run=dry_run, url=url, key=key))


async def _replay(
    ids: list[int], state: str | None, connection: str | None, since: str, *, dry_run: bool, url: str | None, key: str
) -> None:
    from contextlib import AsyncExitStack

    from app import http
    from app import replay as again
    from app.migrate import opened
    from app.settings import load
    from app.store.sqlite import FileInUse

    if state is not None and state not in again.STATES:
        fail(f"--state is one of {', '.join(again.STATES)}, not {state}")
    moment = again.moment(since)
    async with AsyncExitStack() as stack:
        stock: again.Stock
        if url:
            stock = again.OverRest(await stack.enter_async_context(http.create_client()), url, key)
        else:
            try:  # counting changes nothing, so it may be done beside a gateway
                database = opened(load(need_master_key=False).url, exclusive=not dry_run)
            except FileInUse as error:
                fail(
                    f"A gateway serves this database now: replay through it with "
                    f"--url {error.address or 'http://127.0.0.1:8080'} and "
                    "--key gw_... (or GATEWAY_KEY), which is POST /api/webhooks/replay."
                )
            stack.push_async_callback(database.close)
            stock = again.InFile(database)
        found = await again.chosen(stock, ids, state, connection, moment)
        if dry_run:
            typer.echo(f"{len(found):,} webhooks would be translated again.")
            return
        count = await again.replay(stock, found)
        typer.echo(f"{count:,} webhooks are translated again{'' if url else ' when the gateway starts'}.")


@cli.command()
def doctor() -> None:
    """Say what is wrong with settings, database and machine, if anything."""
    from app.doctor import findings

    problems = 0
    for good, text in findings():
        problems += not good
        typer.secho(("ok    " if good else "wrong ") + text, fg="green" if good else "red")
    raise SystemExit(1 if problems else 0)


@keys.command()
def create(
    role: Annotated[str | None, typer.Option(help="admin, operator or viewer.", show_default="viewer")] = None,
    name: Annotated[str, typer.Option(help="Whose key it is, for the list.")] = "",
    days: Annotated[int, typer.Option(min=1, max=365, help="How long it lives.")] = 365,
) -> None:
    """Make an operator key and print it, once."""
    from app.migrate import opened
    from app.security import Role, new_key
    from app.settings import load
    from app.store import config

    chosen = (role or "viewer").lower()
    if chosen.upper() not in Role.__members__:
        fail(f"--role is one of {', '.join(r.name.lower() for r in reversed(Role))}, not {role}")
    key = new_key()
    database = opened(load(need_master_key=False).url)
    row = key.row(name or chosen, chosen, days=days, now=int(time.time() * 1000))
    database.write_now(config.add_key, row)
    database.close_now()
    if role is None:
        typer.echo("This key has the role viewer, which may only read; --role makes another.", err=True)
    typer.echo(key.text)


@keys.command()
def master() -> None:
    """Print a fresh value for GATEWAY_MASTER_KEY. Keep it outside the database and its backups."""
    from app.security import new_master_key

    typer.echo(new_master_key())


if __name__ == "__main__":
    main()
