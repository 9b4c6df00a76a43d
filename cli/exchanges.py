"""``penstock exchanges``: where market data can come from, and what to know about each of them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import UserError

if TYPE_CHECKING:
    from connectors.exchanges.interface import Exchange

WIDTH = 110

app = typer.Typer(help="List or describe exchanges.", no_args_is_help=True, add_completion=False)


@app.command(name="list")
def list_() -> None:
    """List the exchanges: those that are built in, then those that are reached through ccxt."""
    from cli.tables import show_table
    from connectors.exchanges.registry import EXCHANGES, by_ccxt, exchange

    found = [exchange(name) for name in EXCHANGES]
    titles = ("name", "exchange", "streams", "streamed candles", "trade ids")
    show_table(
        titles, [(one.id, one.name, *map(", ".join, (one.streams, one.timeframes)), one.trade_ids) for one in found]
    )
    others = by_ccxt()
    print(f"\nThrough ccxt, {len(others)} more:")
    print(textwrap.fill(", ".join(others), WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False))


@app.command()
def describe(name: Annotated[str, typer.Argument(help="Name of an exchange, as the list has it.")]) -> None:
    """Describe an exchange: streams, timeframes, limits, and what surprises."""
    for line in _described(known(name)):
        print(line)


def known(name: str, socket_url: str | None = None, rest_url: str | None = None) -> Exchange:
    """The exchange of this name, perhaps at other addresses. Raises UserError."""
    from connectors.exchanges.registry import exchange

    _check("--socket-url", socket_url, ("ws", "wss"))
    _check("--rest-url", rest_url, ("http", "https"))
    try:
        return exchange(name, socket_url=socket_url, rest_url=rest_url)
    except ValueError as error:
        raise UserError(str(error)) from None


def _check(option: str, url: str | None, schemes: tuple[str, ...]) -> None:
    if url is not None and not any(url.startswith(f"{one}://") and len(url) > len(one) + 3 for one in schemes):
        raise UserError(f"{option} {url}: write it as {' or '.join(f'{one}://…' for one in schemes)}")


def _described(one: Exchange) -> Iterator[str]:
    limits, heartbeat = one.limits, one.heartbeat
    trades = f"{limits.trades_per_request:,} trades" if limits.trades_per_request else "no trades"
    ping = f", a ping of ours every {heartbeat.ping_s:g} s" if heartbeat.ping_s else ""
    life = f", closed by the exchange after {limits.lifetime_s / 3_600:g} h" if limits.lifetime_s else ""
    yield f"{one.name} ({one.id})\n"
    yield f"streams      {', '.join(one.streams) or 'none'}"
    yield f"candles      streamed: {', '.join(one.timeframes) or 'none'}"
    yield f"             history:  {', '.join(one.history) or 'none'}"
    yield f"trade ids    {one.trade_ids}"
    yield f"a socket     {limits.symbols_per_socket} symbols, {limits.messages_per_second:g} messages of ours a second"
    yield f"             dead after {heartbeat.silence_s:g} s of silence{ping}{life}"
    yield f"requests     a weight of {limits.weight_per_minute:,} a minute"
    yield f"             a page of history: {limits.candles_per_request:,} candles, {trades}"
    yield "\nWhat to know"
    for trap in one.traps:
        yield textwrap.fill(trap, WIDTH, initial_indent="- ", subsequent_indent="  ")
    yield "\nIts documentation"
    yield from (f"- {page}" for page in one.pages)
