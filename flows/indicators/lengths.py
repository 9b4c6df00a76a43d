"""The checks that every length goes through."""

from __future__ import annotations


def at_least(smallest: int, **lengths: int) -> None:
    """Raise ValueError, naming the argument, when a length is too short to mean anything.

    >>> at_least(2, length=1)
    Traceback (most recent call last):
    ValueError: length is 1: it counts candles and must be at least 2
    """
    for name, length in lengths.items():
        if length < smallest:
            raise ValueError(f"{name} is {length}: it counts candles and must be at least {smallest}")


def fast_below_slow(fast: int, slow: int) -> None:
    """Raise ValueError when the fast of two averages is not the shorter one.

    >>> fast_below_slow(20, 10)
    Traceback (most recent call last):
    ValueError: fast is 20 and slow is 10: the fast average must be the shorter one
    """
    if fast >= slow:
        raise ValueError(f"fast is {fast} and slow is {slow}: the fast average must be the shorter one")
