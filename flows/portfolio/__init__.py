"""The portfolio stage: slices of all shards in, orders, fills, positions, equity and refusals out."""
