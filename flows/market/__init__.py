"""The market stage: candles of one shard in, slices (marks and signals) out."""
