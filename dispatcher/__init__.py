"""Kafka to Celery: the router, the feeders, the dead letters and the reconciler. Knows no model."""
