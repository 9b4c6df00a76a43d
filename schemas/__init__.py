"""The language of the house: every record on every topic, the topics themselves, the configuration."""
