from __future__ import annotations

from flows.indicators.window import cell


def test_the_ring_is_filled_from_its_start_again_and_again() -> None:
    count, cells = 0, []
    for _ in range(8):
        at = cell(count, 3)
        cells.append(at)
        count = count + 1 if at < 2 else 3
    assert cells == [0, 1, 2, 0, 1, 2, 0, 1]
