"""Messages of a Kafka topic, each read once by its offset."""
