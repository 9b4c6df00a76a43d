"""Indicators: compiled modules over columns of candles, one a file."""
