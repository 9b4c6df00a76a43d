"""``serve``: where a live process serves its metrics and its health."""

from __future__ import annotations

from pydantic import Field

from schemas.config.section import Section


class ServeConfig(Section):
    """The HTTP server of a live process: ``/metrics``, ``/health/live``, ``/health/ready``."""

    host: str = Field("127.0.0.1", min_length=1, description="address to listen on; 0.0.0.0: every one of the machine")
    port: int = Field(
        9464, ge=0, le=65_535, description="port of the first process, the next ones take the next ports; 0: no server"
    )
    feed_port: int = Field(9454, ge=0, le=65_535, description="port of `penstock feed` and `record`; 0: no server")

    def port_of(self, process: int) -> int | None:
        """The port of one of the processes, counted from 0; none when nothing is to be served.

        >>> ServeConfig().port_of(2), ServeConfig(port=0).port_of(2)
        (9466, None)
        """
        return self.port + process if self.port else None
