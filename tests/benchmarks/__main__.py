"""`make bench`: every module `bench_*` here gives `run() -> list[(name, figure, goal)]`; ratios within one run."""

from __future__ import annotations

import importlib
import pkgutil
import platform
import sys

import tests.benchmarks


def main(wanted: list[str]) -> None:
    print(
        f"Python {platform.python_version()} on {platform.machine()}; "
        "ratios within this run, interleaved, medians of the quietest quarter of rounds.\n"
    )
    for module in sorted(
        m.name for m in pkgutil.iter_modules(tests.benchmarks.__path__) if m.name.startswith("bench_")
    ):
        if wanted and module.removeprefix("bench_") not in wanted:
            continue
        try:
            rows = importlib.import_module(f"tests.benchmarks.{module}").run()
        except ModuleNotFoundError as err:
            print(f"  {module}: skipped, {err.name} is not installed")
            continue
        for name, value, goal in rows:
            print(f"  {name:<70} {value:>9.2f}   goal: {goal}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
