"""How bytes reach Kafka and come back: one place for client settings, acknowledgements and topics."""
