"""Hosts that are reached by SSH over a link of their own, on one machine: each a network namespace with a name, an address and a server.

They share this machine's files, and so what a test finds in a host's directories is what is there. They are a test's for its time; nothing
of them remains.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"
# Lines between the hosts and this machine come from the block for tests of networks, RFC 2544.
_BLOCK = "198.18"


def _may_make_namespaces() -> bool:
    if os.geteuid() != 0 or not Path(SSHD).exists() or not shutil.which("ip") or not shutil.which("ssh"):
        return False
    return subprocess.run(["unshare", "--net", "--uts", "true"], capture_output=True, check=False).returncode == 0


needs_ssh_hosts = pytest.mark.skipif(not _may_make_namespaces(), reason="needs root, network namespaces, and sshd")


@dataclass(frozen=True)
class SshHost:
    """A host behind a link that can be cut."""

    name: str
    address: str
    link: str
    namespace: str
    key: Path
    control: Path

    def variables(self, **more: Any) -> dict[str, Any]:
        """What an inventory says of it, with connections that are kept open, as Ansible does where nothing else is said."""
        return {
            "ansible_host": self.address,
            "ansible_user": "root",
            "ansible_ssh_common_args": f"-i {self.key} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
            "ansible_control_path_dir": str(self.control),
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "ansible_remote_tmp": str(self.control.parent / f"{self.name}-tmp"),
            "ansible_async_dir": str(self.control.parent / f"{self.name}-jobs"),
            **more,
        }

    def cut(self) -> None:
        """Let no packet pass any more."""
        subprocess.run(["ip", "link", "set", self.link, "down"], check=True)

    def close(self) -> None:
        """Kill the SSH server and the sessions it has; what they started lives on."""
        for pid in self._processes():
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text().startswith("sshd"):
                    os.kill(pid, signal.SIGKILL)

    def clear(self) -> None:
        """Kill all that runs there."""
        for pid in self._processes():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)

    def _processes(self) -> list[int]:
        told = subprocess.run(["ip", "netns", "pids", self.namespace], capture_output=True, text=True, check=True)
        return [int(pid) for pid in told.stdout.split()]


@contextmanager
def ssh_hosts(*names: str) -> Iterator[dict[str, SshHost]]:
    """The hosts by name, gone afterwards."""
    # Paths of sockets have to be short.
    with tempfile.TemporaryDirectory(prefix="ssh-", ignore_cleanup_errors=True) as folder, contextlib.ExitStack() as stack:
        place = Path(folder)
        (place / "cp").mkdir()
        for key in ("host_key", "key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / key)], check=True)
        Path("/run/sshd").mkdir(exist_ok=True)
        stack.callback(_hang_up, place / "cp")
        yield {name: stack.enter_context(_ssh_host(name, place)) for name in names}


@contextmanager
def _ssh_host(name: str, place: Path) -> Iterator[SshHost]:
    mark = secrets.token_hex(3)
    namespace, near, far = f"sc{mark}", f"sc{mark}h", f"sc{mark}t"
    network = f"{_BLOCK}.{secrets.randbelow(256)}.{4 * secrets.randbelow(64)}".rsplit(".", 1)
    here, there = (f"{network[0]}.{int(network[1]) + place}" for place in (1, 2))
    with contextlib.ExitStack() as stack:
        subprocess.run(["ip", "netns", "add", namespace], check=True)
        stack.callback(subprocess.run, ["ip", "netns", "delete", namespace], check=True)
        for command in (
            f"ip link add {near} type veth peer name {far} netns {namespace}",
            f"ip address add {here}/30 dev {near}",
            f"ip link set {near} up",
            f"ip -n {namespace} address add {there}/30 dev {far}",
            f"ip -n {namespace} link set {far} up",
            f"ip -n {namespace} link set lo up",
            f"ip -n {namespace} route add default via {here}",
        ):
            subprocess.run(command.split(), check=True)
        options = {
            "ListenAddress": there,
            "HostKey": place / "host_key",
            "AuthorizedKeysFile": place / "key.pub",
            "StrictModes": "no",
            "UsePAM": "no",
            "PermitRootLogin": "prohibit-password",
            "PidFile": "none",
        }
        # The server is what the shell becomes, so that it is our child.
        named = ["unshare", "--uts", "sh", "-c", f'hostname {name} && exec "$@"', "sh"]
        server = subprocess.Popen(
            ["ip", "netns", "exec", namespace, *named, SSHD, "-D", "-e", "-f", "/dev/null", *(f"-o{k}={v}" for k, v in options.items())],
            stderr=subprocess.DEVNULL,
        )
        stack.callback(server.wait)
        stack.callback(server.kill)
        host = SshHost(name, there, near, namespace, place / "key", place / "cp")
        stack.callback(host.clear)
        _wait_for(there)
        yield host


def _wait_for(address: str) -> None:
    """Until the server listens, which takes it a moment."""
    give_up = time.monotonic() + 30
    while True:
        with contextlib.suppress(OSError), socket.create_connection((address, 22), 5):
            return
        assert time.monotonic() < give_up, f"no SSH server at {address}"
        time.sleep(0.05)


def _hang_up(control: Path) -> None:
    """End the connections that are kept open, also those whose host is gone."""
    for path in control.iterdir():
        subprocess.run(["ssh", "-O", "exit", "-o", f"ControlPath={path}", "any"], capture_output=True, check=False)


@contextmanager
def reached_from_hosts(port: int) -> Iterator[str]:
    """``address:port`` where the hosts find what listens on a port of this machine's loopback device, as labs do."""
    # An address that is no link's, so that no cut takes it away.
    address = f"{_BLOCK.replace('18', '19')}.{secrets.randbelow(256)}.{secrets.randbelow(254) + 1}"
    subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def serve() -> asyncio.Server:
        return await asyncio.start_server(lambda *ends: _relay(*ends, port=port), address, 0)

    try:
        server = asyncio.run_coroutine_threadsafe(serve(), loop).result()
        yield f"{address}:{server.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(_end_all(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        subprocess.run(["ip", "address", "delete", f"{address}/32", "dev", "lo"], check=True)


async def _relay(near: asyncio.StreamReader, near_writer: asyncio.StreamWriter, *, port: int) -> None:
    try:
        far, far_writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        near_writer.close()
        return
    try:
        await asyncio.gather(_copy(near, far_writer), _copy(far, near_writer))
    finally:
        near_writer.close()
        far_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _end_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
