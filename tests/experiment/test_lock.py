"""One process in a folder, whoever comes first, and until it ends however it ends."""

import signal
import subprocess
import sys

_HOLDER = """
import sys
from creative_rl.experiment.lock import lock
sys.stdin.readline()  # all begin together
try:
    with lock(sys.argv[1]):
        print("has it", flush=True)
        sys.stdin.readline()
except RuntimeError as error:
    print(error, flush=True)
"""


def holder(folder):
    return subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def go(process):
    process.stdin.write("\n")
    process.stdin.flush()


def test_of_processes_that_come_at_once_one_gets_it_and_a_kill_lets_it_go(tmp_path):
    processes = [holder(tmp_path) for _ in range(4)]
    try:
        for process in processes[:3]:
            go(process)
        said = {process: process.stdout.readline().strip() for process in processes[:3]}
        (owner,) = (process for process in said if said[process] == "has it")
        del said[owner]
        for words in said.values():  # of one that comes in the same moment the name is not known
            assert words.startswith(f"{tmp_path} is in use by process ")
            assert words.split()[6].rstrip(";") in (str(owner.pid), "unknown")
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        go(processes[3])
        assert processes[3].stdout.readline().strip() == "has it"
    finally:
        for process in processes:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()
