"""What a saved model depends on: the names of its columns, their order, and the hash of how they are made."""

from features.definitions import CUSTOMER_FEATURES, FEATURE_HASH, FEATURES, TERMINAL_FEATURES, WINDOWED


def test_the_columns_are_the_order_then_the_customer_then_the_terminal() -> None:
    assert FEATURES[:3] == ("amount", "weekend", "night")
    assert FEATURES[3:] == CUSTOMER_FEATURES + TERMINAL_FEATURES
    assert len(set(FEATURES)) == len(FEATURES) == 15


def test_only_what_depends_on_labels_waits_for_them() -> None:
    assert {(feature.entity, feature.delay_days) for feature in WINDOWED} == {
        ("customer", 0),
        ("terminal", 7),
    }


def test_a_change_of_the_definitions_is_deliberate() -> None:
    # Every saved model is refused once this changes: models are to be trained again.
    assert FEATURE_HASH == "5589ceae23f4"
