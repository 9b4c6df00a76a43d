"""What a run came to: one metric, or one family, a file; pure functions of columns. See docs/metrics.md."""
