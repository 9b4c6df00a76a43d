from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

from sinks.report.html import write_report
from tests.sinks.run_folders import empty_run, make_run

VOID = {"meta", "link", "br", "input", "img"}
IMPLIED = {"td", "th", "tr", "option"}


class Outline(HTMLParser):
    """Which elements the page has, which are open, and every address in it."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.labelled: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID | IMPLIED:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "action", "srcset"):
                self.addresses.append(value or "")
            if name == "id":
                self.ids.append(value or "")
            if name == "aria-labelledby":
                self.labelled.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        if tag not in IMPLIED:
            assert self.open.pop() == tag


def outline(text: str) -> Outline:
    parser = Outline()
    parser.feed(text)
    parser.close()
    return parser


def test_the_page_needs_nothing_from_anywhere(tmp_path: Path) -> None:
    text = write_report(tmp_path, make_run(tmp_path, days=5, trades=60)).read_text()
    assert set(outline(text).addresses) == {"data:,", "trades.csv"}
    assert not re.search(r"https?:|//[a-z]+\.|@import|url\(", text)


def test_every_element_is_closed_and_every_label_is_there(tmp_path: Path) -> None:
    found = outline(write_report(tmp_path, make_run(tmp_path, days=5, trades=60)).read_text())
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    assert set(found.labelled) <= set(found.ids)


def test_what_the_run_says_is_escaped(tmp_path: Path) -> None:
    candles = make_run(tmp_path, ("<i>&/USDT",), days=2, trades=9)
    letters = tmp_path / "deadletters.jsonl"
    letters.write_text(letters.read_text().replace("high=1", "</script><script>alert(1)</script>"))
    (tmp_path / "run.json").write_text(json.dumps({"inputs": [{"note": "simulated <u>"}]}))
    text = write_report(tmp_path, candles).read_text()
    for raw in ("<i>&", "<b>3</b>", "<script>alert", "<u>"):
        assert raw not in text
    assert "&lt;i&gt;&amp;/USDT" in text
    assert "DATA_GAP: &lt;b&gt;3&lt;/b&gt; candles missing" in text


def test_a_simulated_market_is_labelled_and_a_real_one_is_not(tmp_path: Path) -> None:
    candles = make_run(tmp_path, days=2, trades=9)
    assert "SIMULATED" not in write_report(tmp_path, candles).read_text()
    (tmp_path / "run.json").write_text(json.dumps({"inputs": [{"note": "simulated market, seed 7"}]}))
    assert "SIMULATED MARKET" in write_report(tmp_path, candles).read_text()


def test_settings_come_from_the_run_file(tmp_path: Path) -> None:
    candles = make_run(tmp_path, days=2, trades=9)
    (tmp_path / "run.json").write_text(json.dumps({"config": {"risk": {"per_trade_pct": 0.75}}}))
    text = write_report(tmp_path, candles).read_text()
    assert re.search(r"config\.risk\.per_trade_pct</th>\s*<td[^>]*>0\.75", text)


def test_a_run_in_which_nothing_happened_has_a_page(tmp_path: Path) -> None:
    text = write_report(empty_run(tmp_path), {}).read_text()
    assert "No position was closed" in text
    assert "No signal was refused" in text
    assert "No candles were given" in text
    assert "nan" not in text.split('id="data"')[1].split("</script>")[0].lower()


def test_a_month_of_minutes_of_many_symbols_stays_below_a_megabyte(tmp_path: Path) -> None:
    candles = make_run(tmp_path, tuple(f"C{n}/USDT" for n in range(9)), days=31, trades=4_000)
    assert write_report(tmp_path, candles).stat().st_size < 1_000_000


def test_the_page_is_replaced_whole(tmp_path: Path) -> None:
    candles = make_run(tmp_path, days=2, trades=9)
    first = write_report(tmp_path, candles).read_text()
    assert write_report(tmp_path, candles).read_text() == first
    assert not list(tmp_path.glob(".*"))
