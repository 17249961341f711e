"""The command line: ``gateway demo | serve | sandbox | preview | replay | keys | doctor``."""

from __future__ import annotations

import time
from typing import Annotated, Any, NoReturn

import typer

from app.errors import GatewayError

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
) -> None:
    """Take webhooks, translate them, deliver to Klaviyo, and answer the REST API."""
    from app.main import create_app
    from app.settings import load
    from app.telemetry import configure

    configure()
    listen(create_app(load(), work=not no_work), host, port)


def listen(app: Any, host: str, port: int) -> None:
    """Uvicorn as measured: uvloop, httptools, no access log (it halves the throughput)."""
    import uvicorn

    uvicorn.run(
        app, host=host, port=port, loop="uvloop", http="httptools", access_log=False, server_header=False,
        log_level="warning", timeout_graceful_shutdown=10,
    )  # fmt: skip


@cli.command()
def sandbox(port: Port = 8081) -> None:
    """A stand-in Klaviyo by Klaviyo's rules, with a ledger of what it was sent."""
    from app.klaviyo.sandbox.app import create_sandbox

    typer.echo(f"sandbox Klaviyo on http://127.0.0.1:{port}  ledger: http://127.0.0.1:{port}/sandbox/ledger")
    listen(create_sandbox(), "127.0.0.1", port)


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
    role: Annotated[str, typer.Option(help="admin, operator or viewer.")] = "viewer",
    name: Annotated[str, typer.Option(help="Whose key it is, for the list.")] = "",
    days: Annotated[int, typer.Option(min=1, max=365, help="How long it lives.")] = 365,
) -> None:
    """Make an operator key and print it, once."""
    from app.migrate import upgrade
    from app.security import Role, new_key
    from app.settings import load
    from app.store import config
    from app.store.engine import Database

    if role.upper() not in Role.__members__:
        fail(f"--role is one of {', '.join(r.name.lower() for r in reversed(Role))}, not {role}")
    key = new_key()
    database = Database(load(need_master_key=False).url)
    upgrade(database)
    row = key.row(name or role.lower(), role.lower(), days=days, now=int(time.time() * 1000))
    database.write_now(config.add_key, row)
    database.close()
    typer.echo(key.text)


@keys.command()
def master() -> None:
    """Print a fresh value for GATEWAY_MASTER_KEY. Keep it outside the database and its backups."""
    from app.security import new_master_key

    typer.echo(new_master_key())


if __name__ == "__main__":
    main()
