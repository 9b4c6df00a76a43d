"""Ids of trades as numbers: an exchange's own, or one below zero by which to know the id again."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

DIGITS = 18  # fit into 64 bits, whichever they are


def id_of(text: str) -> int:
    """The number of an id.

    >>> id_of("3735683259"), id_of("a4f0-77") < 0, id_of("007") < 0
    (3735683259, True, True)
    """
    if text.isascii() and text.isdigit() and len(text) <= DIGITS and (text[0] != "0" or text == "0"):
        return int(text)
    return -1 - int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()) // 2


def ids_of(texts: Sequence[str]) -> NDArray[np.int64]:
    """The numbers of many ids, quickly where all are numbers.

    >>> ids_of(["7", "10"]).tolist(), (ids_of(["7", "x"]) < 0).tolist()
    ([7, 10], [False, True])
    """
    joined = "".join(texts)
    plain = joined.isascii() and joined.isdigit() and max(map(len, texts)) <= DIGITS
    if plain and not any(text[:1] in ("", "0") for text in texts):
        return np.fromiter(map(int, texts), np.int64, len(texts))
    return np.fromiter(map(id_of, texts), np.int64, len(texts))
