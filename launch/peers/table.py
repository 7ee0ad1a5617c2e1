"""The tables of the comparison."""

import math

from registry import KINDS

PASSES = ["inference", "training"]


def title(name):
    return "Baton" if name == "baton" else KINDS[name].title


def own_name(report):
    """Baton and its commit, unless the sources are no checkout."""
    return f"Baton {report['commit']}" if "commit" in report else "Baton"


def competitors(names, which):
    return [name for name in names if which == "inference" or KINDS[name].trains]


def gflops(row, name, which):
    return row["figures"].get(name, {}).get(which, {}).get("gflops")


def ratio(row, names, which):
    """Baton over the best peer, or None when no peer ran."""
    rivals = [value for name in competitors(names, which) if (value := gflops(row, name, which))]
    return gflops(row, "baton", which) / max(rivals) if rivals else None


def disturbed(figures):
    """Whether other programs had the core even during a best repetition."""
    return any(measured["share_on_core"] < 0.98 for passes in figures.values() for measured in passes.values())


class KernelTable:
    """One line per shape, printed as soon as it is measured. The ratio is Baton's speed over that of the best peer.

    In reduced precision there is no training, and how exact everyone is belongs to the comparison.
    """

    def __init__(self, lines, names, precision):
        self.names = names
        self.precision = precision
        self.width = max(len(line) for line in [*lines, "cell T N I H"])
        self.reduced = precision != "float32"
        self.groups = [(which, competitors(names, which)) for which in (PASSES[:1] if self.reduced else PASSES)]

    def header(self, report, peak):
        versions = [f"{title(name)} {report['versions'][name] or '(no answer)'}" for name in self.names]
        first, second = " " * self.width, "cell T N I H".ljust(self.width)
        for which, names in self.groups:
            columns = f"{'Baton':>8}{'%':>4}" + "".join(f"{title(name):>10}" for name in names) + f"{'ratio':>7}"
            first += f" | {which + ', GF/s':<{len(columns)}}"
            second += " | " + columns
        lines = [
            ", ".join([own_name(report), *versions]),
            f"precision {self.precision}; FMA peak in f32 {peak:.1f} GF/s",
            "% is Baton's share of the peak beside the row, ratio its speed over the best peer's",
        ]
        if self.reduced:
            first += " | error"
            second += " | " + "".join(f"{title(name):>10}" for name in ["baton", *self.names])
            lines.append("error is the greatest difference from a computation in float64 over its greatest value")
        return "\n".join([*lines, "", first, second])

    def line(self, row):
        text = row["shape"].ljust(self.width)
        for which, names in self.groups:
            own = gflops(row, "baton", which)
            cells = f"{own:8.1f}{100 * own / row['peak_gflops']:4.0f}"
            for name in names:
                value = gflops(row, name, which)
                cells += f"{value:10.1f}" if value else f"{'-':>10}"
            best = ratio(row, self.names, which)
            text += " | " + cells + (f"{best:7.2f}" if best else f"{'-':>7}")
        if self.reduced:
            errors = [row["errors"].get(name) for name in ["baton", *self.names]]
            text += " | " + "".join(f"{'-' if error is None else format(error, '.1e'):>10}" for error in errors)
        text += " *" if disturbed(row["figures"]) else ""
        return "\n".join([text, *(f"    {note}" for note in row["notes"])])


def mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def summary(rows, names):
    """By cell and pass: geometric means of the ratios to every peer and to the best, and the smallest of the latter."""
    result = []
    for cell in dict.fromkeys(row["shape"].split()[0] for row in rows):
        for which in PASSES:
            mine = [row for row in rows if row["shape"].split()[0] == cell]
            best = [value for row in mine if (value := ratio(row, names, which))]
            if not best:
                continue
            entry = {"cell": cell, "pass": which, "rows": len(best), "best": mean(best), "least": min(best), "peers": {}}
            for name in competitors(names, which):
                values = [gflops(row, "baton", which) / v for row in mine if (v := gflops(row, name, which))]
                if values:
                    entry["peers"][name] = mean(values)
            result.append(entry)
    return result


def summary_text(entries, precision, is_disturbed):
    lines = ["", f"Baton's speed over the peers' in {precision}, geometric means over the rows:"]
    for entry in entries:
        peers = ", ".join(f"{title(name)} {value:.2f}" for name, value in entry["peers"].items())
        lines.append(
            f"{entry['cell']} {entry['pass']}: best peer of each row {entry['best']:.2f} (least {entry['least']:.2f}); {peers}"
        )
    if is_disturbed:
        lines.append("* other programs had the core even during a best repetition: measure again")
    return "\n".join(lines)


def step_text(report):
    lines = [
        "",
        f"{own_name(report)} and PyTorch:",
        "Language model step (embedding 128, LSTM 2×512, softmax over 65, clip, Adam; 64 steps × 32 lanes per core):",
        "Medians of turns, and the slowest and fastest of them.",
        f"{'':24}{'cores':>6}{'tokens/s':>11}{'slowest':>10}{'fastest':>10}{'Baton is':>10}",
    ]
    for name, figures in report["step"].items():
        times = "" if name.startswith("baton") else f"{figures['baton_ratio']:.2f}×"
        speeds = f"{figures['tokens_per_second']:>11.0f}{figures['slowest_turn']:>10.0f}{figures['fastest_turn']:>10.0f}"
        lines.append(f"{name:24}{figures['cores']:>6}{speeds}{times:>10}")
    return "\n".join(lines)
