"""An urgent message goes before those that wait already, on each broker."""

from events.priority import Priority
from tests.integration.tasks.rig import Rig


def test_the_more_urgent_goes_first(rig: Rig) -> None:
    for priority in reversed(Priority):
        rig.send({f"{priority}{number}": {} for number in range(2)}, priority)
        rig.send({f"{priority}{number}": {} for number in range(2, 4)}, priority)
    rig.start()

    rig.wait_for(predictions=16, letters=0, seconds=30)

    begun = [event.rstrip("0123") for entry in rig.entries() for event in entry["events"]]
    assert begun == [priority for priority in Priority for _ in range(4)]
