"""What `celery inspect stats` and Flower are shown of a worker's connection to its broker."""

from types import SimpleNamespace

from tasks.consumer import Consumer


def test_the_login_of_sentinels_is_not_shown_and_the_options_in_use_stay_as_they_are() -> None:
    used = {"master_name": "shop", "sentinel_kwargs": {"password": "s3cret"}}
    step = SimpleNamespace(info=lambda _: {"broker": {"hostname": "h", "transport_options": used}})
    info = Consumer.Blueprint().info(SimpleNamespace(steps=[step]))
    assert "s3cret" not in str(info)
    assert info["broker"]["transport_options"]["master_name"] == "shop"
    assert used["sentinel_kwargs"] == {"password": "s3cret"}
