"""What an answer estimates, for tests of workflows that estimate something."""

from events.prediction import Output


def confidence_of(output: Output) -> float:
    """The probability of its label: it is there."""
    assert output.confidence is not None
    return output.confidence
