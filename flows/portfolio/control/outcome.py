"""What becomes of a command, and its records."""

from __future__ import annotations

from typing import Any

import msgspec

from flows.outbox import Outbox
from flows.portfolio.control.base import Figures
from flows.portfolio.gates.base import Refusal
from schemas.audit import Audit
from schemas.command import Command
from schemas.ids import event_id
from schemas.reply import Reply, Status
from schemas.wire import wire

ReplyRow, AuditRow = wire(Reply), wire(Audit)


class Outcome(msgspec.Struct):
    """An answer, and what was changed."""

    status: Status
    code: str
    figures: Figures = {}
    before: Figures = {}
    after: Figures = {}


class Refused(Exception):  # noqa: N818 (it is an answer)
    """A command that is not obeyed."""

    def __init__(self, code: str, **figures: Any) -> None:
        super().__init__(code)
        self.outcome = Outcome("refused", code, figures)


def done(*, before: Figures | None = None, after: Figures | None = None, **figures: Any) -> Outcome:
    """It was obeyed."""
    return Outcome("done", "DONE", figures, before or {}, after or {})


def post(outbox: Outbox, ts: int, command: Command, received_ms: int, times: int, outcome: Outcome) -> None:
    """Reply and audit record. ``times``: how often a command of that id had come before."""
    row = {"ts": ts, "portfolio": command.portfolio, "command_id": command.id, "sender": command.sender}
    told = Refusal(outcome.code, outcome.figures).message() if outcome.figures else outcome.code
    outbox["replies"].append(
        ReplyRow(
            id=event_id(command.portfolio, command.id, times, "reply"),
            **row,
            name=command.name,
            status=outcome.status,
            code=outcome.code,
            figures=outcome.figures,
            message=told,
        )
    )
    outbox["audit"].append(
        AuditRow(
            id=event_id(command.portfolio, command.id, times, "audit"),
            **row,
            given_ms=command.ts,
            received_ms=received_ms,
            name=command.name,
            arguments=command.arguments,
            status=outcome.status,
            code=outcome.code,
            figures=outcome.figures,
            before=outcome.before,
            after=outcome.after,
        )
    )
