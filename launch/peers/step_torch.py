"""A language model's training step in PyTorch: embedding, LSTM, softmax cross-entropy, clipping, Adam.

    step_torch.py --threads N          one process
    step_torch.py --processes N        DistributedDataParallel over gloo, one thread each, one core each

The batch is per core. Prints one JSON object: tokens per second over all processes, by the median step.
"""

import argparse
import json
import os
import tempfile
import time

import torch
import torch.distributed
import torch.multiprocessing

VOCABULARY, EMBEDDING, HIDDEN, LAYERS, STEPS = 65, 128, 512, 2, 64


class LanguageModel(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(VOCABULARY, EMBEDDING)
        self.recurrent = torch.nn.LSTM(EMBEDDING, HIDDEN, LAYERS)
        self.decoder = torch.nn.Linear(HIDDEN, VOCABULARY)

    def forward(self, tokens, states):
        output, states = self.recurrent(self.embedding(tokens), states)
        return self.decoder(output), states


def measure(model, batch, seconds, agree):
    """Seconds of every step; `agree` turns this process' wish to go on into that of all."""
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    criterion = torch.nn.CrossEntropyLoss()
    tokens = torch.randint(VOCABULARY, (5, STEPS, batch))
    states = None
    times = []
    begin = time.perf_counter()
    while agree(len(times) < 8 or time.perf_counter() - begin < seconds):
        start = time.perf_counter()
        inputs, targets = tokens[len(times) % 4], tokens[len(times) % 4 + 1]
        optimizer.zero_grad(set_to_none=True)
        output, states = model(inputs, states)
        criterion(output.view(-1, VOCABULARY), targets.view(-1)).backward()
        states = tuple(state.detach() for state in states)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
        optimizer.step()
        times.append(time.perf_counter() - start)
    return sorted(times[3:])


def report(times, tokens):
    print(json.dumps({"tokens_per_second_by_median": tokens / times[len(times) // 2]}))


def first_threads():
    """Of every core one processor that this process may use: two threads of a core are not two cores."""
    chosen = {}
    for processor in sorted(os.sched_getaffinity(0)):
        siblings = f"/sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list"
        core = open(siblings).read().strip() if os.path.exists(siblings) else processor
        chosen.setdefault(core, processor)
    return list(chosen.values())


def replica(rank, processes, batch, seconds, rendezvous):
    """One process of several, on a core of its own."""
    cores = first_threads()
    os.sched_setaffinity(0, {cores[rank % len(cores)]})
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=processes
    )
    # The first process watches the clock; the flag it sends costs microseconds and stands outside the timed step.
    going = torch.ones(1)

    def agree(wish):
        going[0] = float(wish)
        torch.distributed.broadcast(going, 0)
        return bool(going[0])

    model = torch.nn.parallel.DistributedDataParallel(LanguageModel(), gradient_as_bucket_view=True)
    times = measure(model, batch, seconds, agree)
    if rank == 0:
        report(times, processes * STEPS * batch)
    torch.distributed.destroy_process_group()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    if arguments.processes == 1:
        torch.set_num_threads(arguments.threads)
        batch = arguments.batch * arguments.threads
        report(measure(LanguageModel(), batch, arguments.seconds, bool), STEPS * batch)
        return
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(
            replica,
            (arguments.processes, arguments.batch, arguments.seconds, folder + "/rendezvous"),
            nprocs=arguments.processes,
        )


if __name__ == "__main__":
    main()
