"""Out: where records go, and what is made of a finished run (tables, summary, report)."""
