"""Candles made of trades."""
