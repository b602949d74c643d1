"""What the benchmarks share: percentiles, rounds in turns, medians with their spread, and the verdict."""
import os
import pathlib
import statistics
import sys
import tempfile
import time

LARGER_IS_BETTER = {"decisions_per_second", "reads_per_second", "ratio", "cpu_ratio", "http_lru_per_second", "http_redis_per_second",
                    "lru_over_none", "reads", "sources"}
BUSY_CORES = 0.4  # of others, from which on a short run judges by no clock
WARM_UP = 0.1  # share of the answers that is not counted


def percentile(values, share):
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))]


def milliseconds(lines):
    """Of microseconds, a line each, without the warm-up."""
    return [int(line) / 1000 for line in lines][int(len(lines) * WARM_UP):]


def peak_memory_mb(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def sync_ms():
    """How long the disk takes for what a commit does: 8 KiB, written and synced; the median of 100."""
    taken = []
    with tempfile.TemporaryFile() as file:
        for place in range(100):
            begun = time.monotonic()
            os.pwrite(file.fileno(), bytes(8192), place * 8192)
            os.fdatasync(file.fileno())
            taken.append((time.monotonic() - begun) * 1000)
    return statistics.median(taken)


def in_turns(rounds, programs, measure):
    """{program: [figures of each round]}, the programs taking turns."""
    found = {program: [] for program in programs}
    for number in range(rounds):
        for program in programs:
            figures = measure(program) | {"sync_ms": sync_ms()}
            found[program].append(figures)
            told = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
            print(f"round {number + 1}  {program:<14}{told}", file=sys.stderr, flush=True)
    return found


def summary(runs):
    """{figure: (median, lowest, highest)}."""
    names = runs[0].keys()
    columns = {name: [run[name] for run in runs] for name in names}
    return {name: (statistics.median(values), min(values), max(values)) for name, values in columns.items()}


def print_table(title, found):
    """A column for each program; returns {program: its summary}."""
    print(f"\n{title}: median (lowest .. highest)")
    summaries = {program: summary(runs) for program, runs in found.items()}
    print(f"{'':<24}" + "".join(f"{program:<34}" for program in found))
    for name in next(iter(summaries.values())):
        cells = ("{:.4g} ({:.4g} .. {:.4g})".format(*summaries[program][name]) for program in found)
        print(f"{name:<24}" + "".join(f"{cell:<34}" for cell in cells))
    return summaries


def judge(figures, wanted):
    """Print each figure beside what is wanted; return whether all are good."""
    is_good = True
    print()
    for name, value in figures.items():
        if name not in wanted:
            print(f"{'':<12}{name:<24}{value:<10.4g}")
            continue
        is_met = value >= wanted[name] if name in LARGER_IS_BETTER else value <= wanted[name]
        is_good = is_good and is_met
        sign = ">=" if name in LARGER_IS_BETTER else "<="
        print(f"{'ok' if is_met else 'NOT OK':<12}{name:<24}{value:<10.4g} wanted {sign} {wanted[name]:g}")
    return is_good


def without_clocks(wanted, figures):
    """What a short run wants: CPU time and memory alone, where the machine was busy with something else."""
    if figures["others_cores"] <= BUSY_CORES:
        return wanted
    print("\nthe machine was busy with something else: wall-clock figures are not judged")
    return {name: value for name, value in wanted.items() if name == "cpu_ratio" or name.startswith("memory")}
