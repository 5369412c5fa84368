"""script/in-netns: a network of its own for whatever it runs, and nothing left afterwards."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "script" / "in-netns"


def namespaces() -> set[str]:
    listed = subprocess.run(["ip", "netns", "list"], check=True, capture_output=True, text=True)
    return {line.split()[0] for line in listed.stdout.splitlines()}


def test_command_sees_loopback_and_one_media_interface_and_no_way_out() -> None:
    command = "ip -brief -4 address; ip route show default"
    done = subprocess.run([SCRIPT, "sh", "-c", command], capture_output=True, text=True, check=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [(line[0].split("@")[0], line[2]) for line in lines] == [
        ("lo", "127.0.0.1/8"),
        ("media0", "10.77.0.1/24"),
    ]


def test_exit_code_and_input_are_those_of_the_command() -> None:
    done = subprocess.run([SCRIPT, "sh", "-c", "read word; exit $word"], input=b"7\n")
    assert done.returncode == 7


def test_nothing_is_left_behind_even_by_a_command_that_leaves_children() -> None:
    before = namespaces()
    command = "echo $IN_NETNS; (trap '' TERM; sleep 300) & sleep 0.2"
    done = subprocess.run([SCRIPT, "sh", "-c", command], capture_output=True, text=True)
    name = done.stdout.strip()
    assert done.returncode == 0
    assert name
    assert name not in namespaces()
    assert namespaces() <= before


def test_a_signal_reaches_the_command_and_its_answer_counts() -> None:
    command = "trap 'exit 5' TERM; echo ready $IN_NETNS; while :; do sleep 0.1; done"
    with subprocess.Popen([SCRIPT, "sh", "-c", command], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        name = run.stdout.readline().split()[1]
        time.sleep(0.2)
        run.send_signal(signal.SIGTERM)
        assert run.wait(timeout=10) == 5
    assert name not in namespaces()


def test_without_a_command_it_says_how_to_use_it() -> None:
    done = subprocess.run([SCRIPT], capture_output=True, text=True)
    assert done.returncode == 2
    assert "usage" in done.stderr
