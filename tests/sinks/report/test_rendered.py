"""The report in a real browser: what it draws, not what it says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from sinks.report.html import write_report
from tests.sinks.run_folders import make_run

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium here: apt-get install chromium")

PROBE = (Path(__file__).parent / "probe.js").read_text(encoding="utf-8")


def facts(tmp_path: Path, page: Path, steps: str, theme: str = "light", width: int = 1400) -> Any:
    """Run some JavaScript in the page; what it returns, after making sure that nothing went wrong."""
    text = page.read_text(encoding="utf-8")
    probed = tmp_path / "probed.html"
    text = text.replace("<head>", f"<head><script>{PROBE}</script>", 1)
    text = text.replace("</body>", f"<script>probe(async () => {{ {steps} }});</script></body>")
    probed.write_text(text, encoding="utf-8")
    command = [
        str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
        f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},1600", "--virtual-time-budget=4000",
        "--dump-dom", f"{probed.as_uri()}#theme={theme}",
    ]  # fmt: skip
    found = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    written = re.search(r'<pre id="facts">(.*?)</pre>', found, re.DOTALL)
    assert written, "the page did not come to the end of its scripts"
    told = json.loads(unescape(written[1]))
    assert told["seen"] == [], "errors on the console"
    assert "failed" not in told["result"], told["result"]
    return told["result"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    write_report(folder, make_run(folder, ("BTC/USDT", "ETH/USDT"), days=10, trades=240))
    return folder


def rgb(text: str) -> str:
    return ",".join(str(int(text[i : i + 2], 16)) for i in (1, 3, 5))


@pytest.mark.parametrize(
    ("theme", "line", "fall", "rise"),
    [("light", "#1d5fd1", "#cf3f4b", "#0a8f6f"), ("dark", "#6ea8ff", "#ff6f78", "#35c79d")],
)
def test_all_charts_are_drawn_in_both_themes(
    tmp_path: Path, run: Path, theme: str, line: str, fall: str, rise: str
) -> None:
    steps = "return {e: colours('equity'), d: colours('drawdown'), c: colours('candles')}"
    found = facts(tmp_path, run / "summary.html", steps, theme)
    assert found["e"][rgb(line)] > 300, "the equity line"
    assert found["d"][rgb(fall)] > 300, "the drawdown"
    assert found["c"][rgb(fall)] > 300, "falling candles"
    assert found["c"][rgb(rise)] > 300, "rising candles"


def test_the_table_has_all_trades_and_sorts_by_gain(tmp_path: Path, run: Path) -> None:
    steps = """
      const sort = column("P&L").head.querySelector("button");
      sort.click(); const falling = column("P&L").numbers, state = sort.parentElement.getAttribute("aria-sort");
      sort.click(); return {falling, state, rising: [...document.querySelectorAll("#trades tbody tr")].length,
        first: column("P&L").numbers[0]};"""
    found = facts(tmp_path, run / "summary.html", steps)
    assert len(found["falling"]) == found["rising"] == 240
    assert found["falling"] == sorted(found["falling"], reverse=True)
    assert found["first"] == min(found["falling"])
    assert found["state"] == "descending"


def test_zooming_shows_single_trades(tmp_path: Path, run: Path) -> None:
    steps = """
      const all = textOf("candles-note"); await click('[data-span="86400000"]');
      return {all, day: textOf("candles-note")};"""
    found = facts(tmp_path, run / "summary.html", steps, width=500)
    assert "120 trades: entries per bar are counted in the strip below the candles; zoom in to see each" in found["all"]
    assert found["day"] == "One bar is 10 min. "


def test_another_symbol_is_drawn_and_read(tmp_path: Path, run: Path) -> None:
    steps = """
      const before = JSON.stringify(colours("candles")), pick = byId("symbol");
      pick.value = "1"; pick.dispatchEvent(new Event("change"));
      await pointer("candles", "pointermove", 0.5);
      return {read: textOf("candles-text"), other: before !== JSON.stringify(colours("candles"))};"""
    found = facts(tmp_path, run / "summary.html", steps)
    assert re.match(r"2022-01-06 00:0\d · open ([\d,.]+) · high [\d,.]+ · low [\d,.]+ · close [\d,.]+", found["read"])
    assert found["other"]


def test_the_keyboard_zooms_moves_and_goes_back(tmp_path: Path, run: Path) -> None:
    steps = """
      const canvas = byId("equity"), middle = [];
      for (const key of ["+", "ArrowLeft", "0"]) {
        canvas.dispatchEvent(new KeyboardEvent("keydown", {key})); await pointer("equity", "pointermove", 0);
        middle.push(textOf("equity-text").slice(0, 16));
      }
      return middle;"""
    # Ten days: the middle five start on the third day and a half, a fifth of five earlier is one day
    found = facts(tmp_path, run / "summary.html", steps)
    assert found == ["2022-01-03 12:00", "2022-01-02 12:00", "2022-01-01 00:00"]


def test_dragging_over_a_chart_zooms_into_it(tmp_path: Path, run: Path) -> None:
    steps = """
      await pointer("equity", "pointerdown", 0.2); await pointer("equity", "pointermove", 0.3);
      await pointer("equity", "pointerup", 0.3); await pointer("equity", "pointermove", 0.5);
      return {middle: textOf("equity-text")};"""
    found = facts(tmp_path, run / "summary.html", steps)
    assert found["middle"].startswith("2022-01-03 12:00")


def test_paper_is_light_and_has_its_own_width(tmp_path: Path, run: Path) -> None:
    steps = """
      const now = () => [document.documentElement.dataset.theme, byId("equity").width];
      const screen = now(); window.dispatchEvent(new Event("beforeprint")); const paper = now();
      window.dispatchEvent(new Event("afterprint")); return {screen, paper, back: now()};"""
    found = facts(tmp_path, run / "summary.html", steps, theme="dark")
    assert found["paper"] == ["light", 690]
    assert found["screen"] == found["back"]
    assert found["screen"][0] == "dark"


@pytest.mark.parametrize("width", [500, 1600])
def test_nothing_is_wider_than_the_window(tmp_path: Path, run: Path, width: int) -> None:
    steps = "return {page: document.documentElement.scrollWidth, window: document.documentElement.clientWidth}"
    found = facts(tmp_path, run / "summary.html", steps, width=width)
    assert found["page"] <= found["window"]


def test_many_trades_are_counted_in_the_picture(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    page = write_report(folder, make_run(folder, days=20, trades=1_600))
    found = facts(tmp_path, page, 'return {note: textOf("candles-note"), rows: column("P&L").numbers.length}')
    assert "1,600 trades: entries per bar are counted" in found["note"]
    assert found["rows"] == 500
