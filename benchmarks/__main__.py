"""`python -m benchmarks [NAME ...]`: run benches, print their tables, keep the results, write them into the READMEs."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from pathlib import Path

from benchmarks import harness, report

_SHARED = {"__main__", "harness", "report", "processes"}


def names() -> list[str]:
    """The benches: every module here that is not shared by them."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(module.name for module in found if module.name not in _SHARED)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which benches; all when none ({', '.join(names())})")
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender runs (default 3)")
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="a share of the full size, to try a bench; results are kept at full size only",
    )
    parser.add_argument("--report", action="store_true", help="measure nothing; write the READMEs from kept results")
    options = parser.parse_args()
    if options.report:
        report.write()
        return
    if unknown := set(options.names) - set(names()):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(names())}")
    for name in options.names or names():
        bench = importlib.import_module(f"benchmarks.{name}")
        print(f"\n## {bench.TITLE}\n", flush=True)
        mode = bench.mode() if hasattr(bench, "mode") else None
        if mode:
            print(f"{mode}\n", flush=True)
        found = bench.run(options.rounds, options.scale)
        layout = getattr(bench, "LAYOUT", harness.RATIOS)
        print(harness.render(layout, found), flush=True)
        if options.scale == 1 and found:
            print(f"\n{harness.save(name, bench.TITLE, found, layout=layout, mode=mode)}")
            report.write()


if __name__ == "__main__":
    main()
