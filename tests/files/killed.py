"""A process that applies a pickled plan and kills itself at a given step; run by test_apply.py."""

import os
import pickle
import signal
import sys
from pathlib import Path

from agent_runner.files.apply import apply


class Contents:
    """Blobs from the pickle."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self.contents = contents

    def get(self, name: str) -> bytes:
        return self.contents[name]


def main() -> None:
    plan, root, last = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    change_set, contents = pickle.loads(plan.read_bytes())  # written by the test
    step = 0

    def stop(_step: str, _path: str) -> None:
        nonlocal step
        if step == last:
            os.kill(os.getpid(), signal.SIGKILL)
        step += 1

    apply(change_set, root, Contents(contents), stop)


main()
