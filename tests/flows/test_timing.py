from __future__ import annotations

import pytest

from flows.timing import Timing


def test_seconds_of_a_phase_add_up_also_when_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([1.0, 3.0, 10.0, 10.5, 20.0, 21.0])
    monkeypatch.setattr("flows.timing.perf_counter", lambda: next(clock))
    timing = Timing()
    with timing("read"):
        pass
    with pytest.raises(KeyError), timing("flow"):
        raise KeyError
    with timing("read"):
        pass
    assert timing.seconds == {"read": 3.0, "flow": 0.5}
