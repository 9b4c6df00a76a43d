"""Every message of the collection is read as what it is, or left out on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.exchanges.interface import CANDLE, QUOTE, TRADE, Notice
from connectors.exchanges.registry import exchange

ON_SOCKETS = {
    "binance/trade_stream.json": ("binance", "Trade"),
    "binance/kline_stream_closed.json": ("binance", "Candle"),
    "binance/kline_stream_open.json": ("binance", "ignored"),
    "binance/book_ticker_stream.json": ("binance", "Quote"),
    "binance/agg_trade_stream.json": ("binanceusdm", "Trade"),
    "binance/mark_price_stream.json": ("binanceusdm", "ignored"),
    "binance/user_account_position.json": ("binance", "ignored"),
    "binance/user_account_position_wrapped.json": ("binance", "ignored"),
    "binance/user_balance_update.json": ("binance", "ignored"),
    "binance/user_balance_update_wrapped.json": ("binance", "ignored"),
    "binance/user_execution_report_canceled.json": ("binance", "ignored"),
    "binance/user_execution_report_expired.json": ("binance", "ignored"),
    "binance/user_execution_report_new.json": ("binance", "ignored"),
    "binance/user_execution_report_stop_loss.json": ("binance", "ignored"),
    "binance/user_execution_report_trade.json": ("binance", "ignored"),
    "binance/user_execution_report_wrapped.json": ("binance", "ignored"),
    "binance/user_list_status_wrapped.json": ("binance", "ignored"),
    "coinbase/ws_candles.json": ("coinbase", "ignored Candle"),  # its message is of a time after its end
    "coinbase/ws_heartbeats.json": ("coinbase", "heartbeat"),
    "coinbase/ws_market_trades.json": ("coinbase", "Trade Trade"),
    "coinbase/ws_subscriptions.json": ("coinbase", "subscribed"),
    "coinbase/ws_ticker.json": ("coinbase", "Quote"),
    "kraken/ws_ohlc_update.json": ("kraken", "ignored"),
    "kraken/ws_pong.json": ("kraken", "heartbeat"),
    "kraken/ws_subscribe_response.json": ("kraken", "subscribed"),
    "kraken/ws_ticker_snapshot.json": ("kraken", "Quote"),
    "kraken/ws_trade_update.json": ("kraken", "Trade Trade"),
}
HISTORY = {"binance/klines_response.json", "binance/trades_response.json", "coinbase/http_candles.json"}
OF_ACCOUNTS = {
    "binance/account_response.json",
    "binance/new_order_full_response.json",
    "binance/open_orders_response.json",
    "binance/order_response.json",
    "coinbase/http_fills.json",
    "coinbase/http_order.json",
    "kraken/http_add_order_spot.json",
    "kraken/http_open_orders.json",
    "kraken/http_trades_history.json",
}
RULES_OF_MARKETS = {
    "binance/exchange_info_response.json",
    "coinbase/http_product.json",
    "kraken/http_asset_pairs.json",
}
"""Answers to requests that no feed makes."""


def test_no_message_is_left_out_of_the_lists(shared_data: Path) -> None:
    frames = shared_data / "frames"
    found = {str(path.relative_to(frames)) for path in frames.rglob("*.json")}
    assert found == ON_SOCKETS.keys() | HISTORY | OF_ACCOUNTS | RULES_OF_MARKETS


@pytest.mark.parametrize("name", ON_SOCKETS)
def test_a_message_is_read_as_what_it_is(shared_data: Path, name: str) -> None:
    who, what = ON_SOCKETS[name]
    kinds: list[str] = []
    for one in exchange(who).parser().parse((shared_data / "frames" / name).read_bytes(), 0):
        if isinstance(one, Notice):
            kinds.append(one.kind)
        else:
            assert isinstance(one, TRADE | QUOTE | CANDLE)
            kinds.append(type(one).__name__)
    assert " ".join(kinds) == what


@pytest.mark.parametrize("name", sorted(OF_ACCOUNTS | RULES_OF_MARKETS | HISTORY))
def test_an_answer_is_not_taken_for_a_message_of_a_socket(shared_data: Path, name: str) -> None:
    (one,) = exchange(name.partition("/")[0]).parser().parse((shared_data / "frames" / name).read_bytes(), 0)
    assert isinstance(one, Notice)
    assert one.kind == "unparsed"
