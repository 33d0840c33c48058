"""What every Kafka client of a cluster begins with, and what is not printed of it."""

from transport.cluster import Cluster, client_properties
from transport.kafka import consumer_config, producer_config

SECURED = Cluster("broker:9093", {"security.protocol": "sasl_ssl", "sasl.password": "s3cret"})


def test_an_address_alone_is_enough() -> None:
    assert client_properties("broker:9092") == {"bootstrap.servers": "broker:9092"}


def test_consumers_and_producers_are_let_in_by_the_same_properties() -> None:
    for config in (consumer_config(SECURED, "group"), producer_config(SECURED)):
        assert config["bootstrap.servers"] == "broker:9093"
        assert config["security.protocol"] == "sasl_ssl"
        assert config["sasl.password"] == "s3cret"


def test_a_cluster_is_printed_without_its_secrets() -> None:
    assert repr(SECURED) == "Cluster(bootstrap='broker:9093')"


def test_what_an_operator_sets_goes_before_our_defaults_and_after_what_a_reader_asks_for() -> None:
    tuned = Cluster("broker:9093", {"session.timeout.ms": "45000", "fetch.wait.max.ms": "100"})
    config = consumer_config(tuned, "group", **{"fetch.wait.max.ms": 500})
    assert (config["session.timeout.ms"], config["fetch.wait.max.ms"]) == ("45000", 500)
