import pytest

from connectors.simulated_spec import SYMBOLS, MarketSpec


def test_the_default_market_is_thirty_days_of_four_symbols_with_seed_seven() -> None:
    spec = MarketSpec()
    assert [one.symbol for one in spec.symbols] == ["BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT"]
    assert (spec.days, spec.seed, spec.start_ms % 86_400_000) == (30, 7, 0)


def test_a_spec_that_makes_no_market_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one symbol"):
        MarketSpec(symbols=())
    with pytest.raises(ValueError, match="at least one symbol and one regime"):
        MarketSpec(regimes=())
    with pytest.raises(ValueError, match="days is 0"):
        MarketSpec(days=0)
    with pytest.raises(ValueError, match="start at a full minute"):
        MarketSpec(start_ms=1)
    with pytest.raises(ValueError, match="BTC/USDT is there twice"):
        MarketSpec(symbols=(SYMBOLS[0], SYMBOLS[0]))
