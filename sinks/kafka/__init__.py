"""Out to Kafka: each record exactly once, whatever is killed."""
