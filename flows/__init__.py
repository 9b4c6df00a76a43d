"""The dataflows and their operators: market stage, indicators, strategies, portfolio stage."""
