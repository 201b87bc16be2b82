"""The guardian: ends a lab whose starter died before the lab was ready.

Run by supervisord as ``python -m lab.process.guardian STATE``. It waits, without polling, for the lock that the starter holds. When it gets
it, the starter is done or dead: a lab published as lasting is left alone, any other is ended.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from lab.process.parent_death import die_with_parent
from lab.process.state_directory import StateDirectory


def main(path: str) -> None:
    """Wait for the starter's end and see that no half lab is left."""
    supervisor = int(os.environ["SIDECAR_SUPERVISOR_PID"])
    die_with_parent(supervisor)
    state = StateDirectory(Path(path))
    with state.lock("starter"):
        facts = state.published()
        if facts.get("supervisor_pid") != supervisor or facts.get("foreground"):
            os.kill(supervisor, signal.SIGTERM)


if __name__ == "__main__":
    main(*sys.argv[1:])
