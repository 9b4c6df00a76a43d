"""Run one command bound to one core and print, as JSON, how it went: status, seconds, peak resident memory in kB.

    python launch.py CORE OUT ERR COMMAND…

A process of its own, because Linux counts the memory of the process that starts a command into the command's peak: this
one imports next to nothing. The moment of the start is handed down as BENCH_BEGAN, epoch seconds.
"""

import os
import sys
import time


def main() -> None:
    """Run a command on one core, and write what it took."""
    core, out, err, *command = sys.argv[1:]
    os.sched_setaffinity(0, {int(core)})
    began = time.time()
    start = time.perf_counter()
    child = os.fork()
    if child == 0:
        for path, number in ((out, 1), (err, 2)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.execve(command[0], command, {**os.environ, "BENCH_BEGAN": repr(began)})
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - start
    code = os.waitstatus_to_exitcode(status)
    print(f'{{"status": {code}, "seconds": {seconds!r}, "peak_kb": {usage.ru_maxrss}}}')


if __name__ == "__main__":
    main()
