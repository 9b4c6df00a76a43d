"""What the name of a file of candles or trades tells: symbol and timeframe."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from schemas.timeframe import to_millis

ENDINGS = (".csv", ".csv.gz", ".feather", ".parquet")

# freqtrade writes PAIR-TIMEFRAME[-KIND] or PAIR-trades: "/" as "_", ":" as a second "_" (freqtrade.io, "Data
# downloading").
_FREQTRADE = re.compile(
    r"(?P<base>[A-Za-z0-9.]+)_(?P<quote>[A-Za-z0-9.]+)(?:_(?P<settle>[A-Za-z0-9.]+(?:-\d{6})?))?"
    r"-(?:trades|(?P<timeframe>[1-9]\d*[smhdw])(?:-(?P<kind>spot|futures|mark|index|premiumIndex|funding_rate))?)"
)
_DATE = r"(?:(?:19|20)\d\d-\d\d(?:-\d\d)?|(?:19|20)\d{6}|(?:19|20)\d{4}|(?:19|20)\d\d)"
_TIMEFRAME = r"[1-9]\d*[smhdw]"
_TAIL = re.compile(rf"(?:[-_. ](?:{_DATE}|{_TIMEFRAME}|trades|aggTrades))+$")


@dataclass(frozen=True, slots=True)
class NamedSeries:
    """What a name tells. ``certain`` holds for names in freqtrade's form; otherwise it is a guess.

    ``kind`` is freqtrade's candle type (``futures``, ``mark``, ``funding_rate``…), empty when there is none.
    """

    symbol: str
    timeframe_ms: int | None
    certain: bool
    kind: str = ""


def split_ending(path: Path) -> tuple[str, str]:
    """Stem and ending of a file's name; the ending is lower case, and empty when it is not one of ours.

    >>> split_ending(Path("data/ETH_BTC-5m.feather")), split_ending(Path("BTC.CSV.gz")), split_ending(Path("a.txt"))
    (('ETH_BTC-5m', '.feather'), ('BTC', '.csv.gz'), ('a.txt', ''))
    """
    for ending in ENDINGS:
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)], ending
    return path.name, ""


def from_name(path: Path) -> NamedSeries:
    """Symbol and timeframe, as far as the name of a file tells them.

    >>> from_name(Path("XRP_USDT_USDT-1h-futures.feather"))
    NamedSeries(symbol='XRP/USDT:USDT', timeframe_ms=3600000, certain=True, kind='futures')
    >>> from_name(Path("btc-perp-20211231-20220201-1m.csv.gz"))
    NamedSeries(symbol='BTC-PERP', timeframe_ms=60000, certain=False, kind='')
    """
    stem, _ = split_ending(path)
    found = _FREQTRADE.fullmatch(stem)
    if found:
        symbol = f"{found['base']}/{found['quote']}" + (f":{found['settle']}" if found["settle"] else "")
        length = found["timeframe"]
        return NamedSeries(symbol.upper(), to_millis(length) if length else None, True, found["kind"] or "")
    tail = _TAIL.search(stem)
    if not tail:
        return NamedSeries(stem.upper(), None, False)
    spans = re.findall(rf"[-_. ]({_TIMEFRAME})(?=[-_. ]|$)", tail[0])
    return NamedSeries(stem[: tail.start()].upper(), to_millis(spans[-1]) if spans else None, False)


def to_name(symbol: str, timeframe: str) -> str:
    """The stem that freqtrade gives to the file of a market: the inverse of :func:`from_name`.

    >>> to_name("ETH/BTC", "5m"), to_name("XRP/USDT:USDT", "1h")
    ('ETH_BTC-5m', 'XRP_USDT_USDT-1h-futures')

    Raises ValueError when reading the name back would give another symbol.
    """
    stem = symbol.replace("/", "_").replace(":", "_") + f"-{timeframe}" + ("-futures" if ":" in symbol else "")
    back = from_name(Path(stem))
    if not back.certain or back.symbol != symbol:
        raise ValueError(
            f"{symbol!r} has no freqtrade file name: write it as BASE/QUOTE or BASE/QUOTE:SETTLE, upper case"
        )
    return stem
