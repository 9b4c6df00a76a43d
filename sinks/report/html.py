"""summary.html from a finished run folder: one page, no address in it, everything escaped."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from schemas.summary import Summary
from sinks.atomic import replacing
from sinks.columns import RunColumns, read_run
from sinks.report.bars import OHLC
from sinks.report.cards import cards
from sinks.report.payload import embed, payload
from sinks.report.rows import TRADE_COLUMNS, WORDS, first_alerts, first_letters, trade_rows
from sinks.report.run_file import read_run_file, settings, simulated_note
from sinks.state import read_state
from sinks.summary.summarise import summarise
from sinks.summary.text import amount, length, number, percent_text, time_text


def write_report(
    folder: Path, candles: Mapping[str, OHLC], run: RunColumns | None = None, summary: Summary | None = None
) -> Path:
    """Write ``summary.html`` beside the records it is made of, and return its path.

    ``candles`` holds the closed candles of each symbol at full resolution; they are made into larger ones here. ``run``
    and ``summary`` save making them again. Raises what :func:`sinks.summary.summarise.summarise` raises.
    """
    run = read_run(folder) if run is None else run
    summary = summarise(folder, run) if summary is None else summary
    path = folder / "summary.html"
    with replacing(path) as temporary:
        temporary.write_text(render(folder, candles, run, summary), encoding="utf-8")
    return path


def render(folder: Path, candles: Mapping[str, OHLC], run: RunColumns, summary: Summary) -> str:
    """The page as text."""
    drawn = payload(read_state(folder), run, candles)
    record = read_run_file(folder)
    account = summary.account
    trades, note = trade_rows(run.trades)
    counts = [count for gate in account.refusals.values() for count in gate.values()]
    return (
        _environment()
        .get_template("report.html")
        .render(
            name=str(record.get("run") or folder.resolve().name),
            summary=summary,
            account=account,
            unit=summary.currency or "",
            cards=cards(summary),
            refused_most=max(counts, default=1),
            alerts=first_alerts(folder),
            letters=first_letters(folder),
            shadow_trades={label: shadow.trades for label, shadow in summary.shadow.items()},
            trades=trades,
            trades_note=note,
            trade_columns=TRADE_COLUMNS,
            words=WORDS,
            simulated=simulated_note(record),
            settings=settings(record),
            version=_version(record),
            symbols=[symbol["name"] for symbol in drawn["symbols"]],
            symbols_in_all=drawn["symbols_in_all"],
            data=Markup(embed(drawn)),
        )
    )


def _environment() -> jinja2.Environment:
    sources = {
        name: (files("sinks.report") / name).read_text("utf-8") for name in ("report.html", "report.css", "report.js")
    }
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(sources),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "amount": amount,
        "number": number,
        "percent": percent_text,
        "time": time_text,
        "length_text": length,
        "tone": tone,
        "counted": _counted,
    }
    return environment


def tone(value: float | None) -> str:
    """The class of a gain or a loss: shown in colour, beside the sign that says the same.

    >>> tone(1.0), tone(-1.0), tone(None)
    ('up', 'down', '')
    """
    return "" if not value else "up" if value > 0 else "down"


def _version(record: dict[str, Any]) -> str:
    versions = record.get("versions")
    return str(versions.get("penstock", "")) if isinstance(versions, dict) else ""


def _counted(counts: dict[str, Any]) -> int:
    return sum(counts.values())
