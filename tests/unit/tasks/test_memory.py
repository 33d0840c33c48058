"""Memory that a loaded process keeps from batch to batch."""

import resource
import subprocess
import sys

import pytest

FAULTS_OF_TEN_BATCHES = """
import resource
import sys
from tasks.memory import keep_memory

if sys.argv[1] == "kept":
    keep_memory()
bytearray(8 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    bytearray(8 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how: str) -> int:
    command = [sys.executable, "-c", FAULTS_OF_TEN_BATCHES, how]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere memory is left as it is")
def test_a_batch_gets_its_memory_without_asking_the_system() -> None:
    pages = (8 << 20) // resource.getpagesize()
    assert page_faults("kept") < pages // 10 < page_faults("left")
