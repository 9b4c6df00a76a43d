"""The HTTP server of a live process: ``/metrics``, ``/health/live``, ``/health/ready``."""

from __future__ import annotations

import errno
import logging
import socket
import socketserver
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from threading import Thread
from types import TracebackType
from typing import Any, NamedTuple, Protocol

from msgspec.json import encode
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from sinks.vitals.health import Report

LOG = logging.getLogger("penstock.serve")


class ServeError(RuntimeError):
    """The address cannot be listened on. The message names the setting and says what to do."""


class Told(Protocol):
    """The metrics of a process."""

    def exposition(self) -> bytes:
        """All of them, in Prometheus's text format 0.0.4."""


class Asked(Protocol):
    """The health of a process."""

    def live(self) -> Report:
        """Whether a restart would be of no use."""

    def ready(self) -> Report:
        """Whether it does its work."""


class _Answer(NamedTuple):
    status: int
    content_type: str
    body: bytes


def _health(ask: Callable[[], Report]) -> _Answer:
    report = ask()
    return _Answer(200 if report.ok else 503, "application/json", encode(report.body) + b"\n")


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], routes: Mapping[str, Callable[[], _Answer]]) -> None:
        self.routes = routes
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A client that went away is not worth a traceback on stderr."""
        LOG.debug("a request from %s failed", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Listener
    timeout = 10  # seconds that a silent client may hold its thread
    server_version, sys_version = "penstock", ""

    def do_GET(self) -> None:
        route = self.server.routes.get(self.path.partition("?")[0])
        answer = route() if route is not None else self._nothing_here()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_HEAD = do_GET  # noqa: N815

    def _nothing_here(self) -> _Answer:
        there = " ".join(self.server.routes)
        return _Answer(404, "text/plain; charset=utf-8", f"nothing here; there is {there}\n".encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Probes and scrapes come every few seconds: not for the log."""


class Server:
    """Serves from a thread of its own while the context lasts. Port 0 takes a free one; ``url`` says which.

    Raises ServeError, with the ``setting`` of the port, on the way in when the address cannot be listened on.

    >>> from sinks.vitals.health import Health
    >>> from sinks.vitals.vitals import Vitals
    >>> with Server(Vitals("1.0"), Health()) as server:
    ...     server.url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(
        self, vitals: Told, health: Asked, host: str = "127.0.0.1", port: int = 0, setting: str = "port"
    ) -> None:
        self._host, self._port, self._setting = host, port, f"serve.{setting}"
        self._routes: dict[str, Callable[[], _Answer]] = {
            "/metrics": lambda: _Answer(200, CONTENT_TYPE_PLAIN_0_0_4, vitals.exposition()),
            "/health/live": lambda: _health(health.live),
            "/health/ready": lambda: _health(health.ready),
        }
        self.url = ""

    def __enter__(self) -> Server:
        try:
            self._listener = _Listener((self._host, self._port), self._routes)
        except (OSError, OverflowError) as error:
            raise _refused(self._host, self._port, self._setting, error) from error
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.url = f"http://{host}:{self._listener.server_address[1]}"
        self._thread = Thread(target=self._listener.serve_forever, args=(0.1,), name="penstock-serves", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


def _refused(host: str, port: int, setting: str, error: OSError | OverflowError) -> ServeError:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        more = " (the next processes take the next ones)" if setting == "serve.port" else ""
        return ServeError(
            f"{host}:{port} is taken by another process: set {setting} to a free port{more}, or to 0 to serve nothing"
        )
    why = error.strerror if isinstance(error, OSError) else "a port is at most 65535"
    return ServeError(
        f"cannot listen on {host}:{port}: {why}; set serve.host to an address of this machine and {setting} to a "
        f"port that you may use, or {setting} to 0 to serve nothing"
    )
