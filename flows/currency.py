"""The currency of an account: that in which all that it trades is quoted."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.config.portfolio import PortfolioConfig


class CurrencyError(ValueError):
    """An account cannot be kept in one currency. The message says what to do."""


def currency_of(portfolio: PortfolioConfig, symbols: Iterable[str]) -> str | None:
    """What the account is kept in; None when neither the configuration nor a symbol tells.

    >>> currency_of(PortfolioConfig(), ["BTC/USDT", "ETH/USDT:USDT"])
    'USDT'

    Raises CurrencyError for symbols in several currencies, or in another one than the configuration names.
    """
    quotes: dict[str, str] = {}
    for symbol in sorted(symbols):
        if "/" in symbol:
            quotes[symbol.partition("/")[2].partition(":")[0]] = symbol
    if len(quotes) > 1:
        listed = ", ".join(f"{symbol} in {quote}" for quote, symbol in sorted(quotes.items()))
        raise CurrencyError(f"one account cannot add up {listed}: keep them in runs of their own")
    quote, named = next(iter(quotes), None), portfolio.currency
    if named and quote and named != quote:
        raise CurrencyError(f"portfolio.currency is {named}, but {quotes[quote]} is quoted in {quote}: make them one")
    return named or quote
