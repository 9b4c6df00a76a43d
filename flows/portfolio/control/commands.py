"""Commands: what people and bots tell a portfolio to do. Each is answered, and each leaves an audit record."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from flows.outbox import Outbox
from flows.portfolio.control import BREAKERS, by_hand, tuning
from flows.portfolio.control.base import ALL, MANUAL, Place
from flows.portfolio.control.outcome import Outcome, Refused, done, post
from flows.portfolio.control.states import COMMAND, HALTED, REDUCING
from flows.portfolio.control.steering import Steering
from schemas.command import COMMANDS, Command
from schemas.config.commands import CONFIG
from schemas.ids import event_id
from schemas.timeframe import to_millis

if TYPE_CHECKING:
    from flows.portfolio.stage import PortfolioStage


class Given(NamedTuple):
    """A command that has been taken: what it says, when it was journaled, and its place in event time."""

    command: Command
    received_ms: int
    ts: int
    confirmed: bool = False  # its token has come back

    def argument(self, name: str, default: str | None = None) -> str:
        """An argument as text. Raises Refused when it is missing."""
        value = self.command.arguments.get(name, default)
        if value is None:
            raise Refused("ARGUMENT_MISSING", argument=name)
        return str(value)


class Pending(NamedTuple):
    """A command that waits for its token to come back."""

    sender: str
    ends: int
    command: Command


class Commands:
    """The state machine of the commands of one portfolio.

    Who gave it must be named in ``commands.senders``; its id must be new, and its time not further than
    ``commands.max_age`` from the clock when it was journaled. A command takes effect behind the last instant that had
    been decided by then.
    """

    def __init__(self, stage: PortfolioStage) -> None:
        self.stage = stage
        self.seen: dict[str, tuple[int, int]] = {}  # by id: when it was last received, and how often it came
        self.pending: dict[str, Pending] = {}  # by token

    def obey(self, command: Command, received_ms: int, ts: int, outbox: Outbox) -> None:
        """Obey or refuse; what comes of it is posted."""
        given = Given(command, received_ms, ts)
        config = self.stage.config.commands
        times = self.seen.get(command.id, (0, 0))[1]
        self.stage.catch_up(ts, "configuration", outbox)  # of a restart
        try:
            self._check(given, times)
            outcome = self._do(given, outbox)
        except Refused as refused:
            outcome = refused.outcome
        # What was received before that is too old by its own time, too, even if it was given in the future.
        oldest = received_ms - 2 * to_millis(config.max_age)
        self.seen = {id_: known for id_, known in self.seen.items() if known[0] >= oldest}
        self.seen[command.id] = received_ms, times + 1
        self.stage.catch_up(ts, command.sender, outbox)
        post(outbox, ts, command, received_ms, times, outcome)

    def _check(self, given: Given, times: int) -> None:
        command, config = given.command, self.stage.config.commands
        allowed = self.stage.config.senders.get(command.sender)
        if allowed is None:
            raise Refused("SENDER_UNKNOWN", sender=command.sender)
        if command.name not in allowed and "*" not in allowed:
            raise Refused("SENDER_NOT_ALLOWED", sender=command.sender, command=command.name)
        age, most = given.received_ms - command.ts, to_millis(config.max_age)
        if abs(age) > most:
            raise Refused("COMMAND_OLD" if age > 0 else "COMMAND_EARLY", age_ms=age, most_ms=most)
        if times:
            raise Refused("COMMAND_SEEN", times=times)

    def _do(self, given: Given, outbox: Outbox) -> Outcome:
        found = NAMED.get(given.command.name)
        if found is None:
            raise Refused("COMMAND_UNKNOWN", command=given.command.name, known=", ".join(NAMED))
        known = COMMANDS[given.command.name]
        for name in given.command.arguments:
            if known is not None and name not in known:  # a slip in `symbol` would hold up everything
                raise Refused("ARGUMENT_UNKNOWN", argument=name, known=", ".join(known) or "none")
        return found(self, given, outbox)

    @property
    def steering(self) -> Steering:
        """Of the live account: it is there whenever a sender is named."""
        assert self.stage.live.steering is not None
        return self.stage.live.steering

    def place(self, given: Given) -> Place:
        """The symbol or the strategy that a command names, or everything. Raises Refused for one that is not there."""
        arguments, live = given.command.arguments, self.stage.live
        if arguments.get("symbol") is not None and arguments.get("strategy") is not None:
            raise Refused("ARGUMENT_WRONG", why="a symbol or a strategy, not both")
        if (symbol := arguments.get("symbol")) is not None:
            if not live.knows(str(symbol)):
                raise Refused("SYMBOL_UNKNOWN", symbol=symbol)
            return Place("symbol", str(symbol))
        if (strategy := arguments.get("strategy")) is not None:
            if strategy not in {*self.stage.labels, MANUAL}:
                raise Refused("STRATEGY_UNKNOWN", strategy=strategy)
            return Place("strategy", str(strategy))
        return ALL

    def hold(self, level: int, given: Given) -> Outcome:
        """Pause, halt: until a resume, or for a while."""
        place, states = self.place(given), self.steering.states
        until = None
        if (wait := given.command.arguments.get("for")) is not None:
            try:
                until = (given.ts or given.received_ms) + to_millis(str(wait))  # before the first instant: the clock
            except ValueError as wrong:
                raise Refused("ARGUMENT_WRONG", why=str(wrong)) from None
        before = states.at(place)
        until = states.put(place, COMMAND, level, until)
        self.steering.hold(place, f"command {given.command.name}")
        return done(before={str(place): before}, after={str(place): states.at(place)}, until=until)

    def reduce(self, given: Given, outbox: Outbox) -> Outcome:
        """Pause; and where a share is named, close that much of each position there, as a breaker's ``reduce`` does."""
        if "share_pct" not in given.command.arguments:
            return self.hold(REDUCING, given)
        share_pct = _share(given)
        if self.place(given) == ALL and not given.confirmed:
            return self._ask(given, positions=len(self.stage.live.book.holdings))
        held, closed = self.hold(REDUCING, given), self._close(self.place(given), share_pct, given, outbox)
        return done(before=held.before, after=held.after, **held.figures, **closed.figures)

    def resume(self, given: Given, outbox: Outbox) -> Outcome:  # noqa: ARG002 (all have one shape)
        """Take back what commands hold up there. What a breaker holds up is for ``reset``."""
        place, states = self.place(given), self.steering.states
        before = states.at(place)
        if not states.lift(place, COMMAND):
            raise Refused("NOTHING_HELD", scope=str(place), state=before)
        return done(before={str(place): before}, after={str(place): states.at(place)}, state=states.at(place))

    def close(self, given: Given, outbox: Outbox) -> Outcome:
        """Close the positions of a symbol or a strategy, or a share; of everything when the token comes back."""
        place, share_pct = self.place(given), _share(given)
        if place == ALL and not given.confirmed:
            return self._ask(given, positions=len(self.stage.live.book.holdings))
        closed = self._close(place, share_pct, given, outbox)
        if "too_small" in closed.figures and not closed.figures["orders"]:
            raise Refused("PART_TOO_SMALL", share_pct=share_pct, positions=closed.figures["too_small"])
        return closed

    def _close(self, place: Place, share_pct: float, given: Given, outbox: Outbox) -> Outcome:
        """Entries that wait are withdrawn when all is to leave."""
        before = len(outbox["orders"])
        self.steering.hold(place, f"command of {given.command.sender}", share_pct, withdraws=share_pct >= 100)
        small = self.steering.settle(self.stage.aligner.timeframes, outbox)
        found: dict[str, Any] = {"too_small": small} if small else {}
        return done(orders=len(outbox["orders"]) - before, **found)

    def _ask(self, given: Given, **figures: Any) -> Outcome:
        ends = given.received_ms + to_millis(self.stage.config.commands.confirm_within)
        token = event_id(self.stage.name, given.command.id, "token")[:8]
        self.pending = {known: one for known, one in self.pending.items() if one.ends > given.received_ms}
        self.pending[token] = Pending(given.command.sender, ends, given.command)
        return Outcome("confirm", "CONFIRM", {"token": token, "until_ms": ends, **figures})

    def confirm(self, given: Given, outbox: Outbox) -> Outcome:
        """Do what waits for this token: its own sender alone, once, and in time. It tells which command that was."""
        token = given.argument("token")
        waits = self.pending.get(token)
        if waits is None or waits.sender != given.command.sender:
            raise Refused("TOKEN_UNKNOWN", token=token)
        del self.pending[token]
        if given.received_ms > waits.ends:
            raise Refused("TOKEN_EXPIRED", token=token, late_ms=given.received_ms - waits.ends)
        try:
            outcome = NAMED[waits.command.name](self, given._replace(command=waits.command, confirmed=True), outbox)
        except Refused as refused:
            outcome = refused.outcome
        outcome.figures = {**outcome.figures, "confirms": waits.command.id}
        return outcome

    def reset(self, given: Given, outbox: Outbox) -> Outcome:
        """Reset a breaker: there, or wherever it has tripped."""
        name = given.argument("breaker")
        known = [breaker.name for breaker in BREAKERS]
        if name not in known:
            raise Refused("ARGUMENT_WRONG", why=f"{name!r:.80} is no breaker: {', '.join(known)}")
        place = self.place(given)
        count = self.stage.reset(name, place, given.ts, given.command.sender, outbox)
        if not count:
            raise Refused("BREAKER_NOT_TRIPPED", breaker=name, scope=str(place))
        return done(reset=count)

    def alarm(self, given: Given, outbox: Outbox) -> Outcome:
        """Something diverged: for the breaker ``divergence``."""
        self.steering.alarmed({"by": given.command.sender, "what": given.argument("what", "")}, outbox)
        return done(tripped=len(self.steering.tripped))

    def mode(self, given: Given, outbox: Outbox) -> Outcome:
        """Make a strategy live, or a shadow."""
        label, mode = given.argument("strategy"), given.argument("mode")
        if label not in self.stage.labels:
            raise Refused("STRATEGY_UNKNOWN", strategy=label)
        if mode not in ("live", "shadow"):
            raise Refused("ARGUMENT_WRONG", why="mode is live or shadow")
        before = "shadow" if label in self.stage.paper else "live"
        self.stage.switch(label, mode == "shadow", outbox)
        return done(before={label: before}, after={label: mode}, mode=mode)

    def set(self, given: Given, outbox: Outbox) -> Outcome:  # noqa: ARG002
        """Change settings, from now on: all of them, or none."""
        wanted = {key: "null" if value is None else str(value) for key, value in given.command.arguments.items()}
        config, before, after = tuning.changed(self.stage.config, wanted)
        changes = {key: value for key, value in self.stage.changes.items() if key not in wanted}
        self.stage.configure(config, {**changes, **wanted})  # in the order in which they were given
        self.stage.filed = {key: tuning.shown(self.stage.file, key) for key in wanted} | self.stage.filed
        if given.command.sender == CONFIG:
            self.stage.filed |= after
        return Outcome("done", "DONE", after, before, after)

    def trade(self, side: int, given: Given, outbox: Outbox) -> Outcome:
        """Buy or sell by hand, through all gates."""
        return by_hand.trade(self.stage, self.steering, side, given, outbox)

    def status(self, given: Given, outbox: Outbox) -> Outcome:  # noqa: ARG002
        """How things stand."""
        live, states = self.stage.live, self.steering.states
        held = {f"state {place}": states.at(place) for place in sorted(states.holds)}
        open_ = [f"{name} ({label and f'shadow {label}: '}{place})" for label, name, place in self.stage.tripped()]
        return Outcome(
            "done",
            "DONE",
            {
                "state": states.at(ALL),
                **held,
                "tripped": ", ".join(open_) or None,
                "equity": round(live.tally["equity"].item(), 8),
                "positions": len(live.book.holdings),
            },
        )

    def snapshot(self) -> dict[str, Any]:
        """All state, as a copy."""
        pending = {token: (one.sender, one.ends, one.command.model_dump()) for token, one in self.pending.items()}
        return {"seen": dict(self.seen), "pending": pending}

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.seen = dict(state["seen"])
        self.pending = {
            token: Pending(sender, ends, Command(**command))
            for token, (sender, ends, command) in state["pending"].items()
        }


def _share(given: Given) -> float:
    """What is to leave of each position, in percent. Raises Refused."""
    value = given.command.arguments.get("share_pct")
    try:
        share_pct = 100.0 if value is None else float(value)
    except (ValueError, OverflowError):
        share_pct = 0.0
    if not 0 < share_pct <= 100:
        raise Refused("ARGUMENT_WRONG", why=f"share_pct is above 0 and at most 100, not {value!r:.80}")
    return share_pct


NAMED: dict[str, Callable[[Commands, Given, Outbox], Outcome]] = {
    "pause": lambda self, given, _: self.hold(REDUCING, given),
    "reduce": Commands.reduce,
    "halt": lambda self, given, _: self.hold(HALTED, given),
    "resume": Commands.resume,
    "close": Commands.close,
    "confirm": Commands.confirm,
    "reset": Commands.reset,
    "set": Commands.set,
    "mode": Commands.mode,
    "buy": lambda self, given, outbox: self.trade(1, given, outbox),
    "sell": lambda self, given, outbox: self.trade(-1, given, outbox),
    "alarm": Commands.alarm,
    "status": Commands.status,
}
"""By name of a command, what it does."""
