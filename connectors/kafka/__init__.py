"""In from Kafka."""
