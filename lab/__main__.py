"""``python -m lab up|down|status|defects``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from lab.defects import UnknownDefect, load_catalog
from lab.process import lifecycle
from lab.process.state_directory import LabError, StateDirectory
from lab.settings import BadSetting


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is no KEY=VALUE")
    if value.startswith("@"):
        try:
            value = Path(value[1:]).read_text(encoding="utf-8").strip()
        except OSError as problem:
            raise argparse.ArgumentTypeError(f"{name}: cannot read {value[1:]}: {problem.strerror}") from None
    return name, value


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port (1 to 65535)")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description="A complete Async Sidecar on this machine. See lab/README.md.")
    commands = parser.add_subparsers(dest="command", required=True)
    placed = argparse.ArgumentParser(add_help=False)
    placed.add_argument("--state", metavar="DIR", help="state directory; default $SIDECAR_LAB_STATE, else .lab in the checkout")
    up = commands.add_parser("up", parents=[placed], help="start it, or restart it where something else is asked for than runs")
    up.add_argument(
        "--set", metavar="KEY=VALUE", type=_setting, action="append", default=[], help="a setting; KEY=@FILE reads it from a file"
    )
    up.add_argument("--defect", metavar="ID", action="append", default=[], help="seed a defect (see `defects`); may be repeated")
    up.add_argument("--foreground", action="store_true", help="stay, and end it with Ctrl-C")
    for service in lifecycle.SERVICES:
        up.add_argument(f"--{service}-port", metavar="PORT", type=_port, help=f"port of the {service}; default a free one")
    down = commands.add_parser("down", parents=[placed], help="end it")
    down.add_argument("--purge", action="store_true", help="delete the state directory too")
    told = commands.add_parser("status", parents=[placed], help="how it is; exit status 0 when up, 3 when not")
    told.add_argument("--json", action="store_true")
    defects = commands.add_parser("defects", help="the defects that can be seeded")
    defects.add_argument("--json", action="store_true")
    return parser


def _up(arguments: argparse.Namespace, state: StateDirectory) -> int:
    asked = {service: getattr(arguments, f"{service}_port") for service in lifecycle.SERVICES}
    request = lifecycle.Request(
        given=dict(arguments.set),
        defects=tuple(dict.fromkeys(arguments.defect)),
        ports={service: port for service, port in asked.items() if port is not None},
        foreground=arguments.foreground,
    )
    if arguments.foreground:
        lifecycle.up_in_foreground(state, request)
    else:
        print(lifecycle.up(state, request))
    return 0


def _status(arguments: argparse.Namespace, state: StateDirectory) -> int:
    told = lifecycle.status(state)
    if arguments.json:
        print(json.dumps(told, indent=2))
    else:
        print(f"{told['state']} ({told['state_dir']})")
        for row in told["services"]:
            how = f"pid {row['pid']}, {time.time() - row['since']:.0f} s" if row["answers"] else "does not answer"
            print(f"  {row['service']:<12} {row['state']:<9} {row['url']:<26} {how}")
        for name in ("defects", "settings"):
            if told.get(name):
                print(f"  {name}: {json.dumps(told[name])}")
    return 0 if told["state"] == "up" else 3


def _defects(arguments: argparse.Namespace) -> int:
    catalog = load_catalog()
    if arguments.json:
        print(json.dumps([defect.as_dict() for defect in catalog.values()], indent=2))
        return 0
    rows = [("ID", "CHECK", "EXPECTED", "TITLE"), *((d.id, d.check, d.expectation, d.title) for d in catalog.values())]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]))
    return 0


def main(argv: list[str] | None = None) -> int:
    """The command; its exit status."""
    arguments = _parser().parse_args(argv)
    if arguments.command == "defects":
        return _defects(arguments)
    state = StateDirectory.chosen(arguments.state)
    try:
        if arguments.command == "up":
            return _up(arguments, state)
        if arguments.command == "down":
            print(lifecycle.down(state, purge=arguments.purge))
            return 0
        return _status(arguments, state)
    except (LabError, BadSetting, UnknownDefect) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; nothing is left running", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
