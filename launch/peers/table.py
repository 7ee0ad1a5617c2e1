"""The tables of the comparison."""

import math

PASSES = ["inference", "training"]
NAMES = {"torch": "PyTorch", "onnxruntime": "ONNX RT", "openvino": "OpenVINO", "mxnet": "MXNet"}
# ONNX Runtime and OpenVINO do not train.
TRAINING = ["torch", "mxnet"]


def competitors(names, which):
    return [name for name in names if which == "inference" or name in TRAINING]


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
    """One line per shape, printed as soon as it is measured. The ratio is Baton's speed over that of the best peer."""

    def __init__(self, lines, names):
        self.names = names
        self.width = max(len(line) for line in [*lines, "cell T N I H"])

    def groups(self):
        return [(which, competitors(self.names, which)) for which in PASSES]

    def header(self, versions, peak):
        legend = ", ".join(f"{NAMES[name]} {versions[name]}" for name in self.names)
        first, second = " " * self.width, "cell T N I H".ljust(self.width)
        for which, names in self.groups():
            columns = f"{'Baton':>8}{'%':>4}" + "".join(f"{NAMES[name]:>10}" for name in names) + f"{'ratio':>7}"
            first += f" | {which + ', GF/s':<{len(columns)}}"
            second += " | " + columns
        return (
            f"{legend}; FMA peak {peak:.1f} GF/s\n"
            f"% is Baton's share of the peak beside the row, ratio its speed over the best peer's\n\n{first}\n{second}"
        )

    def line(self, row):
        text = row["shape"].ljust(self.width)
        for which, names in self.groups():
            own = gflops(row, "baton", which)
            cells = f"{own:8.1f}{100 * own / row['peak_gflops']:4.0f}"
            for name in names:
                value = gflops(row, name, which)
                cells += f"{value:10.1f}" if value else f"{'-':>10}"
            best = ratio(row, self.names, which)
            text += " | " + cells + (f"{best:7.2f}" if best else f"{'-':>7}")
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


def summary_text(entries):
    lines = ["", "Baton's speed over the peers', geometric means over the rows:"]
    for entry in entries:
        peers = ", ".join(f"{NAMES[name]} {value:.2f}" for name, value in entry["peers"].items())
        lines.append(
            f"{entry['cell']} {entry['pass']}: best peer of each row {entry['best']:.2f} (least {entry['least']:.2f}); {peers}"
        )
    return "\n".join([*lines, "* other programs had the core even during a best repetition: measure again"])


def step_text(step):
    lines = [
        "",
        "Language model step (embedding 128, LSTM 2×512, softmax over 65, clip, Adam; 64 steps × 32 lanes per core):",
        "Medians of turns, and the slowest and fastest of them.",
        f"{'':24}{'cores':>6}{'tokens/s':>11}{'slowest':>10}{'fastest':>10}{'Baton is':>10}",
    ]
    for name, figures in step.items():
        times = "" if name.startswith("baton") else f"{figures['baton_ratio']:.2f}×"
        speeds = f"{figures['tokens_per_second']:>11.0f}{figures['slowest_turn']:>10.0f}{figures['fastest_turn']:>10.0f}"
        lines.append(f"{name:24}{figures['cores']:>6}{speeds}{times:>10}")
    return "\n".join(lines)
