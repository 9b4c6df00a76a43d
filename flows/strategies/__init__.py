"""Strategies: what turns candles into signals, one a file."""
