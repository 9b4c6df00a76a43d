"""docs/gates.md: what is committed is what the code gives, and what the code says is what it does."""

from __future__ import annotations

import inspect
import re
import sys

import pytest

from flows.portfolio.gates import GATES
from flows.portfolio.gates.base import Gate
from flows.portfolio.gates.page import gates_page, settings_of
from schemas.config.root import Config
from schemas.config.shape import field_at
from tests.conftest import ROOT


def test_the_committed_page_is_what_the_code_gives() -> None:
    assert (ROOT / "docs/gates.md").read_text(encoding="utf-8") == gates_page(), "run: make docs"


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_a_gate_refuses_with_the_codes_that_it_declares(gate: type[Gate]) -> None:
    source = inspect.getsource(sys.modules[gate.__module__])
    said = set(re.findall(r'(?:Refusal\(|over\(intent, room, )"([A-Z_]+)"', source))
    assert said == set(gate.codes)
    assert all(re.fullmatch(r"[A-Z]+(_[A-Z]+)+", code) for code in gate.codes)


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_the_settings_that_a_gate_names_are_those_it_reads(gate: type[Gate]) -> None:
    source = inspect.getsource(gate)
    read = {".".join(found) for found in re.findall(r"config\.(risk|market|broker|portfolio)\.(\w+)", source)}
    assert read <= set(settings_of(gate))
    assert all(field_at(Config, key.split(".")) is not None for key in settings_of(gate))


def test_no_code_is_of_two_gates() -> None:
    codes = [code for gate in GATES for code in gate.codes]
    assert len(codes) == len(set(codes))
