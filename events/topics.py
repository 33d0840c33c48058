"""The Kafka topics whose names are fixed; a lane's follows from its queue."""

EVENTS = "retail.events"
DEAD_LETTERS = "retail.events.dlq"
UNROUTED = "retail.events.unrouted"
PREDICTIONS = "ml.predictions"
REPLAYS = "retail.events.replays"
