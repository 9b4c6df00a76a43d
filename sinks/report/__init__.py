"""summary.html: a finished run as one page that opens offline."""

from sinks.report.html import write_report

__all__ = ["write_report"]
