"""`python -m tests.chaos --seconds 300 --seed 1`: exits with 1 when a single row differs."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import pytest

from tests.chaos.harness import Plan, run_chaos
from tests.integration.real_kafka import RealKafka, find_jars


def main() -> None:
    """Parse the command line, run, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=3)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ticketpulse-chaos-"))
    try:
        kafka = RealKafka(find_jars(), folder)
    except pytest.skip.Exception as skipped:
        sys.exit(str(skipped))
    try:
        kafka.start()
        plan = Plan(options.seed, options.seconds, workers=options.workers)
        report = asyncio.run(run_chaos(plan, kafka, folder))
    finally:
        kafka.stop()
    sys.stdout.write(f"{report.text()}\nlogs             {folder}\n")
    if report.differing:
        sys.exit(1)


if __name__ == "__main__":
    main()
