"""Every figure that Signalbox exports: the closed list, each with what it counts and its base unit.

Labels have few values each: a lane, a queue, a workflow, a cause; never an event's or a customer's id.
"""

from prometheus_client import Counter, Gauge, Histogram, start_http_server

LATENCY_BUCKETS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10, 60, 300, 1_800)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024)

# router
EVENTS_READ = Counter("signalbox_events_read_total", "Source records that the router took in.")
EVENTS_ROUTED = Counter("signalbox_events_routed_total", "Records written to a lane.", ["lane"])
EVENTS_IGNORED = Counter("signalbox_events_ignored_total", "Events of a declared type without a route.")
EVENTS_UNROUTED = Counter("signalbox_events_unrouted_total", "Events of a type that nobody declared.")
TABLE_RELOADS = Counter(
    "signalbox_table_reloads_total", "Routing tables seen by the watch: `taken` or `refused`.", ["outcome"]
)
TABLE_INFO = Gauge("signalbox_table_info", "1 for the hash of the routing table in force.", ["table_hash"])

EVENTS_DIVERTED = Counter(
    "signalbox_events_diverted_total",
    "Records written to a lane's overflow topic because the lane was refused.",
    ["lane"],
)
PRODUCERS_REPLACED = Counter(
    "signalbox_producers_replaced_total", "Producers of the router that met a fatal error."
)

# router and feeder
TOPIC_REFUSED = Gauge(
    "signalbox_refused_topic_info",
    "1 while Kafka refuses a topic to this process: `write` (router) or `read` (feeder, router, pipeline).",
    ["topic", "access"],
)
OFFSETS_LOST = Counter(
    "signalbox_offsets_lost_total",
    "Offsets that a consumer group had not read and Kafka no longer holds.",
    ["group", "topic"],
)
RECORDS_UNREADABLE = Counter(
    "signalbox_records_unreadable_total",
    "Offsets that were passed over, because the Kafka client cannot inflate what is there.",
    ["reader", "topic"],
)

THREADS_RESTARTED = Counter(
    "signalbox_threads_restarted_total", "Times that a thread of the dispatcher failed.", ["thread"]
)

# router and workers
DEAD_LETTERS = Counter(
    "signalbox_dead_letters_total",
    "Events given up, by their topic and cause.",
    ["topic", "cause"],
)

# feeder
EVENTS_FED = Counter("signalbox_events_fed_total", "Records that the Celery broker accepted.", ["lane"])
BATCHES_FED = Counter("signalbox_batches_fed_total", "Messages that the Celery broker accepted.", ["lane"])
BROKER_REFUSALS = Counter(
    "signalbox_broker_refusals_total",
    "Times that the Celery broker refused, or hung.",
    ["queue"],
)
QUEUE_WAITING = Gauge(
    "signalbox_queue_waiting_messages", "Messages that wait for a worker.", ["queue", "priority"]
)
QUEUE_RETRYING = Gauge("signalbox_queue_retrying_tasks", "Tasks that are held back for a retry.", ["queue"])

# reconciler
COMPLETENESS = Gauge(
    "signalbox_lane_completeness_ratio",
    "Share of a lane's fed records with an outcome, 0 to 1.",
    ["lane"],
)
OPEN_RECORDS = Gauge("signalbox_lane_open_records", "Fed records of a lane without an outcome.", ["lane"])
OVERDUE_RECORDS = Gauge(
    "signalbox_lane_overdue_records", "Open records that cannot still be on their way.", ["lane"]
)
LOST_RECORDS = Gauge(
    "signalbox_lane_lost_records",
    "Records of a lane that Kafka deleted before they had an outcome, since the reconciler began.",
    ["lane"],
)
EVENTS_FED_AGAIN = Counter(
    "signalbox_events_fed_again_total", "Records without an outcome that were sent once more.", ["lane"]
)

# workers
PREDICTIONS = Counter(
    "signalbox_predictions_total", "Predictions that Kafka acknowledged.", ["workflow", "decision"]
)
PREDICTION_LATENCY = Histogram(
    "signalbox_prediction_latency_seconds",
    "From the source record's entry into Kafka to its prediction.",
    ["workflow"],
    buckets=LATENCY_BUCKETS,
)
SLA_MISSED = Counter("signalbox_sla_missed_total", "Predictions made after their deadline.", ["workflow"])
INFERENCE = Histogram(
    "signalbox_inference_seconds", "Time of one batch in the model.", ["workflow"], buckets=LATENCY_BUCKETS
)
BATCH_EVENTS = Histogram(
    "signalbox_batch_events", "Events in one message when its task began.", ["queue"], buckets=BATCH_BUCKETS
)
EVENTS_RETRIED = Counter("signalbox_events_retried_total", "Events held back for a retry.", ["queue"])
MISPLACED = Counter(
    "signalbox_misplaced_messages_total",
    "Messages that a pool took and that were not for it: `sent home` to their task's queue, or `held`.",
    ["queue", "reaction"],
)
PUBLISH_REFUSALS = Counter(
    "signalbox_publish_refusals_total",
    "Records that Kafka did not take from a worker, by who is to blame: `later` (Kafka as a whole), `topic`,"
    " `record`, or `producer`.",
    ["topic", "blame"],
)
DEPENDENCY_WAIT = Counter(
    "signalbox_dependency_wait_seconds_total",
    "Time that workers waited for it.",
    ["dependency"],
)

MODEL_INFO = Gauge(
    "signalbox_model_info",
    "1 for the version that a process answers with, summed over the living ones of a worker.",
    ["model", "version", "digest"],
    multiprocess_mode="livesum",
)
MODEL_LOOKS = Counter(
    "signalbox_model_looks_total",
    "Times that a process asked which version it is to serve: `served`, or `trouble` where it goes on with"
    " another one.",
    ["model", "outcome"],
)

# feature pipeline
FEATURE_EVENTS = Counter(
    "signalbox_feature_events_total",
    "Source records that the pipeline is done with: `counted`, `duplicate`, `idle` (no feature is made of"
    " it), or why it was skipped.",
    ["fate"],
)
FEATURE_AS_OF = Gauge(
    "signalbox_feature_as_of_seconds",
    "Epoch time up to which all is counted that arrived in a source partition.",
    ["partition"],
)
FEATURE_OFFSETS_LOST = Counter(
    "signalbox_feature_offsets_lost_total", "Source offsets that Kafka deleted before they were counted."
)
FEATURE_LOG_SHORT = Gauge(
    "signalbox_feature_log_short_records",
    "Records that a source partition lacks of those that were counted: 0, unless it lost its tail or was made"
    " again.",
    ["partition"],
)
FEATURE_ROWS_PUT = Counter(
    "signalbox_feature_rows_put_total",
    "Whole rows put online because they were `absent`, `crowded`, or `behind`.",
    ["reason"],
)
FEATURE_ROWS_SET_ASIDE = Counter(
    "signalbox_feature_rows_set_aside_total",
    "Entities whose row cannot be made of what the offline store has; the log names them.",
    ["view"],
)
FEATURE_LONGEST_ROW = Gauge(
    "signalbox_feature_longest_row_bytes",
    "The longest row online that this process has written, by view.",
    ["view"],
)
FEATURE_PUSH_FAILURES = Counter(
    "signalbox_feature_push_failures_total",
    "Times that what was counted could not be pushed online; it is made good later.",
)


def serve(port: int) -> None:
    """Answer Prometheus on `port`, from a daemon thread; 0 exports nothing."""
    if port:
        start_http_server(port)
