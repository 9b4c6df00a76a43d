"""A feed as a machine: lines of a recording in, records for the topics out. Live and replayed it is the very same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import get_args

from connectors.exchanges.interface import QUOTE, TRADE, Exchange, ExchangeError, Notice, Parsed
from connectors.feed import hole
from connectors.feed.ahead import in_time, is_ahead
from connectors.feed.hole import Record
from connectors.feed.place import SUSPECT_EVERY_NS, Place
from connectors.feed.quotes import Quotes
from connectors.feed.reports import EVERY_NS, Out, Reports
from connectors.feed.skew import Skew
from connectors.feed.stream import Ask, Key, Kind, Stream
from connectors.feed.ticks import CLOCK, Ticks
from connectors.feed.watch import Watch
from schemas.capture import NANOS, Line, Note

SUBSCRIBED_WITHIN_NS = 5 * NANOS
OTHERS_NS = 15 * NANOS
"""How far back a hole reaches until the trades of other symbols wait, too: theirs would close its candles."""


class Feed:
    """Everything that a feed decides, without I/O and without a clock: time is that of the lines.

    ``asks`` are the questions to put to the exchange; each is to be answered by a note. Without ``history`` nothing is
    asked, as in a recording that has no notes: what is missing there is lost.
    """

    def __init__(self, exchange: Exchange, history: bool = True) -> None:
        self.asks: list[Ask] = []
        self._exchange, self._history = exchange, history
        self._reports, self._skew, self._ticks, self._watch = Reports(exchange.id), Skew(), Ticks(), Watch()
        self._quotes = Quotes()
        self._streams: dict[Key, Stream] = {}
        self._troubled: dict[Key, Stream] = {}
        self._places: defaultdict[int, Place] = defaultdict(Place)
        self._report: int | None = None
        self._timeframe = ""
        self._waiting: list[Out] = []

    def take(self, line: Line) -> list[Out]:
        """A frame or a note. Returns records with their topics, in order. Times must not fall."""
        return self._taken(line) + self._released(line.ns)

    def _taken(self, line: Line) -> list[Out]:
        ns, place = line.ns, self._places[line.socket]
        if self._report is None:
            self._report = ns + EVERY_NS
        out = self.advance(ns)
        if isinstance(line.said, bytes):
            self._reports.count["frames"] += 1
            place.parser = place.parser or self._exchange.parser()
            place.heard = ns
            for parsed in place.parser.parse(line.said, ns):
                out += self._parsed(place, parsed, ns)
            return out
        return out + self._noted(place, line.socket, line.said, ns)

    @property
    def due(self) -> int | None:
        """When to call :meth:`advance` at the latest (epoch ns)."""
        times = [self._report, self._ticks.due]
        for place in self._places.values():
            times += [place.resume, place.suspect]
            if self._waiting and place.lost is not None:
                times.append(place.lost + hole.PATIENCE_NS)
        times += [stream.hole.due for stream in self._troubled.values()]
        return min((time for time in times if time is not None), default=None)

    def advance(self, ns: int) -> list[Out]:
        """Time has come so far. Everything that was due is done in its order, whenever this is called."""
        out: list[Out] = []
        if self._ticks.due is None:
            self._ticks.upto(ns, None, hold=False)
        while (due := self.due) is not None and due <= ns:
            out += self._at(due)
        return out

    def close(self, ns: int) -> list[Out]:
        """The end: what is held back goes on, and the last report."""
        out = self.advance(ns)
        for key, stream in list(self._troubled.items()):
            if stream.hole.opened is not None:
                out += self._go_on(key, stream.order.give_up(ns), ns)
        out += self._let_go()
        return out + self._minute(ns)

    def _at(self, due: int) -> list[Out]:
        out: list[Out] = []
        for place in self._places.values():
            if place.suspect is not None and place.suspect <= due:
                out += self._examine(place, due)
            if place.resume is not None and place.resume <= due:
                out += self._resume(place, due)
        for key, stream in list(self._troubled.items()):
            if stream.hole.due is not None and stream.hole.due <= due:
                records, ask = stream.due(due, self._now_ms(due))
                out += self._go_on(key, records, due) + self._asked(ask, due)
        out += self._released(due)
        # After the trades that came free: a clock must not be before them.
        hold = bool(self._troubled) or any(place.parser is None for place in self._places.values())
        if self._ticks.due == due:  # what candles made of trades are to know, whatever holds up the clocks
            traded = {symbol for kind, symbol in self._streams if kind == "trades"}
            out += [("trades", quote) for quote in self._quotes.upto(self._now_ms(due), traded)]
        clocks = self._ticks.upto(due, self._skew.ms, hold)
        self._reports.count["clocks"] += len(clocks)
        out += [("trades", CLOCK(ts=ts)) for ts in clocks]
        if self._report is not None and self._report <= due:
            out += self._minute(due)
            self._report = due + EVERY_NS
        return out

    def _minute(self, ns: int) -> list[Out]:
        out: list[Out] = []
        for code, symbol, figures in self._watch.look(ns, self._skew.ms):
            out += self._reports.alert(ns, code, symbol, **figures)
        return out + self._reports.minute(ns, self._skew.ms, self._watch.stale)

    def _noted(self, place: Place, socket: int, note: Note, ns: int) -> list[Out]:
        if note.what == "opened":
            return self._opened(place, note, ns)
        if note.what == "closed":
            return self.close(ns)
        if note.what == "connected":
            return self._connected(place, socket, ns)
        if note.what == "lost":
            return self._lost(place, socket, note.why, ns)
        kind: Kind = "candles" if note.kind == "candles" else "trades"
        return self._answered((kind, note.symbol), note, ns)

    def _opened(self, place: Place, note: Note, ns: int) -> list[Out]:
        self._timeframe, kinds = note.timeframe, get_args(Kind)
        place.streams = [(kind, symbol) for symbol in note.symbols for kind in kinds if kind in note.streams]
        for symbol in note.symbols:
            for stream in note.streams:
                self._watch.expect(stream, symbol, ns, note.timeframe if stream == "candles" else "")
        return []

    def _connected(self, place: Place, socket: int, ns: int) -> list[Out]:
        self._reports.count["connected"] += 1
        place.parser, place.resume = self._exchange.parser(), ns + SUBSCRIBED_WITHIN_NS
        for kind, symbol in place.streams:
            if kind == "candles":
                self._stream(place, (kind, symbol), self._timeframe).expect(self._now_ms(ns))
        if place.lost is None:
            return []
        seconds, place.lost = round((ns - place.lost) / NANOS, 3), None
        return self._reports.alert(ns, "FEED_BACK", level="info", socket=socket, seconds=seconds)

    def _lost(self, place: Place, socket: int, why: str, ns: int) -> list[Out]:
        self._reports.count["lost"] += 1
        place.resume, known = None, place.parser is not None
        place.parser = None
        self._tear(place, place.heard)
        if place.lost is not None and not known:
            return []  # it has not come back since it was lost
        place.lost = ns
        return self._reports.alert(ns, "FEED_LOST", socket=socket, why=why)

    def _tear(self, place: Place, since: int, symbol: str | None = None) -> None:
        for key in place.streams:
            if (symbol is None or key[1] == symbol) and (stream := self._streams.get(key)) is not None:
                stream.order.tear(since)
                self._troubled[key] = stream

    def _resume(self, place: Place, ns: int, symbol: str | None = None) -> list[Out]:
        if symbol is None:
            place.resume = None
        out: list[Out] = []
        for key in place.streams:
            if (symbol is None or key[1] == symbol) and (stream := self._streams.get(key)) is not None:
                stream.order.resume(ns)
                out += self._go_on(key, [], ns)
        return out

    def _parsed(self, place: Place, parsed: Parsed, ns: int) -> list[Out]:
        if isinstance(parsed, Notice):
            return self._notice(place, parsed, ns)
        if isinstance(parsed, TRADE):
            self._skew.see(ns // 1_000_000, parsed.ts)
            return self._offer(place, ("trades", parsed.symbol), parsed, ns)
        if is_ahead(parsed, ns):
            return self._reports.ahead(ns, [parsed])
        if isinstance(parsed, QUOTE):
            self._reports.count["quotes"] += 1
            self._watch.saw("quotes", parsed.symbol, ns)
            self._quotes.see(parsed, ns, self._skew.ms)
            return [("quotes", parsed)]
        return self._offer(place, ("candles", parsed.symbol), parsed, ns)

    def _offer(self, place: Place, key: Key, record: Record, ns: int) -> list[Out]:
        self._watch.saw(*key, ns)
        stream = self._stream(place, key, record.timeframe if key[0] == "candles" else "")
        try:
            return self._go_on(key, stream.offer(record, ns), ns)
        except ExchangeError as wrong:
            return self._unparsed(place, str(wrong), ns)

    def _stream(self, place: Place, key: Key, timeframe: str) -> Stream:
        if key not in self._streams:
            self._streams[key] = Stream(self._exchange, *key, timeframe)
            if key not in place.streams:
                place.streams.append(key)
        return self._streams[key]

    def _notice(self, place: Place, notice: Notice, ns: int) -> list[Out]:
        if notice.ts is not None:
            self._skew.see(ns // 1_000_000, notice.ts)
        if notice.kind == "subscribed":
            return self._resume(place, ns, notice.symbol)
        if notice.kind == "gap":
            self._tear(place, ns, notice.symbol)
            return self._resume(place, ns, notice.symbol)
        if notice.kind == "error":
            self._reports.count["refused"] += 1
            return self._reports.once(ns, "FEED_REFUSED", notice.why)
        return self._unparsed(place, notice.why, ns) if notice.kind == "unparsed" else []

    def _unparsed(self, place: Place, why: str, ns: int) -> list[Out]:
        """It may have been a record: so all streams of the socket are looked at, at most once a minute."""
        self._reports.count["unparsed"] += 1
        place.suspect = max(ns, place.suspected + SUSPECT_EVERY_NS)
        out = self._reports.once(ns, "FEED_UNPARSED", why)
        return out + (self._examine(place, ns) if place.suspect == ns else [])

    def _examine(self, place: Place, ns: int) -> list[Out]:
        place.suspect, place.suspected = None, ns
        if place.parser is None:
            return []  # the connection is gone, and all will be looked at when it is back
        self._tear(place, ns)
        return self._resume(place, ns)

    def _answered(self, key: Key, note: Note, ns: int) -> list[Out]:
        stream = self._streams.get(key)
        if stream is None:
            return []
        try:
            if note.why:
                raise ExchangeError(note.why)
            records, ask = stream.answer(note.body.encode(), ns)
        except ExchangeError as wrong:
            self._reports.count["unanswered"] += 1
            failed = self._reports.once(ns, "FEED_UNANSWERED", str(wrong))
            return failed + self._go_on(key, stream.failed(ns), ns)
        return self._go_on(key, records, ns) + self._asked(ask, ns)

    def _asked(self, ask: Ask | None, ns: int) -> list[Out]:
        if ask is None:
            return []
        self._reports.count["asked"] += 1
        if self._history:
            self.asks.append(ask)
            return []
        key: Key = (ask.kind, ask.symbol)
        return self._go_on(key, self._streams[key].order.give_up(ns), ns)

    def _go_on(self, key: Key, records: Iterable[Record], ns: int) -> list[Out]:
        """Records to their topic, and with them what the stream has to tell."""
        stream, (kind, symbol) = self._streams[key], key
        timely, ahead = in_time(records, ns)
        out: list[Out] = [(kind, self._quotes.onto(one) if kind == "candles" else one) for one in timely]
        self._reports.count[kind] += len(out)
        if kind == "trades" and out and (self._waiting or self._blocked(ns)):
            self._waiting += out
            out = []
        out += self._reports.ahead(ns, ahead)
        self._reports.tally(stream.order)
        for gap in stream.order.gaps:
            out += self._reports.gap(symbol, kind, gap)
        stream.order.gaps.clear()
        if stream.order.whole:
            self._troubled.pop(key, None)
        else:
            self._troubled[key] = stream
        return out

    def _blocked(self, ns: int) -> bool:
        """Whether something older than the newest trades by much is still to come."""
        for (kind, _), stream in self._troubled.items():
            if kind == "trades" and stream.hole.opened is not None and ns - stream.order.since >= OTHERS_NS:
                return True
        # Of a connection that is gone it is not known how long it will be.
        lost = [place for place in self._places.values() if place.lost is not None]
        return any(ns - place.heard >= OTHERS_NS and ns - (place.lost or 0) < hole.PATIENCE_NS for place in lost)

    def _released(self, ns: int) -> list[Out]:
        return self._let_go() if self._waiting and not self._blocked(ns) else []

    def _let_go(self) -> list[Out]:
        out, self._waiting = sorted(self._waiting, key=lambda one: int(one[1].ts)), []
        return out

    def _now_ms(self, ns: int) -> int:
        """The exchange's time, as far as it is known."""
        return ns // 1_000_000 + (self._skew.ms or 0)
