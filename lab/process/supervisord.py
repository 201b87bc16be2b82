"""supervisord of a lab: the program itself, holding the lock that says it lives.

Run as ``python -m lab.process.supervisord STATE CONFIG [PARENT]``; with PARENT it dies with that process.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from lab.process.parent_death import die_with_parent
from lab.process.state_directory import StateDirectory


def main(state: str, config: str, parent: str = "") -> None:
    """Become supervisord, unless the lab has one."""
    if parent:
        die_with_parent(int(parent))
    lock = StateDirectory(Path(state)).try_lock("supervisor")
    if lock is None:
        sys.exit(f"a supervisord of {state} is running already")
    os.truncate(lock, 0)
    os.write(lock, str(os.getpid()).encode("ascii"))
    # Services compare it with their parent to see whether they outlived it.
    os.environ["SIDECAR_SUPERVISOR_PID"] = str(os.getpid())
    from supervisor import supervisord  # type: ignore[import-untyped]

    supervisord.main(["--nodaemon", "--configuration", config])


if __name__ == "__main__":
    main(*sys.argv[1:])
