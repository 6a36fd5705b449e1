"""Federated rounds a second in Flower's simulation, the same work as `flockchain bench fl`.

Run in an environment of its own (its pins conflict with ours), in the same minute as ours:

    python -m venv .flower && .flower/bin/pip install "flwr[simulation]==1.42.0" torch==2.13.0
    .flower/bin/python tests/benchmarks/peers/flower_rounds.py [clients] [rounds]
    flockchain bench fl --json

Each round half of the clients train a perceptron of 64 inputs, 64 hidden and 10 classes by ten
steps of gradient descent on 48 rows, and the server takes their mean. Prints one JSON line: rounds
a second between the first and the last round (its workers have started by then), and of the run.
"""

import json
import logging
import sys
import time
from typing import Any

import torch
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg
from flwr.simulation import run_simulation
from torch.nn.functional import cross_entropy

ROWS = 48
STEPS = 10
RATE = 0.4
CORES = 2

client = ClientApp()
server = ServerApp()
ended_at_s: list[float] = []


def new_model() -> torch.nn.Sequential:
    return torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))


@client.train()  # type: ignore[untyped-decorator, unused-ignore]
def train(message: Message, context: Context) -> Message:
    torch.set_num_threads(1)
    model = new_model()
    model.load_state_dict(message.content["arrays"].to_torch_state_dict())
    generator = torch.Generator().manual_seed(int(context.node_config["partition-id"]))
    rows = torch.rand((ROWS, 64), generator=generator)
    labels = torch.randint(0, 10, (ROWS,), generator=generator)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    for _ in range(STEPS):
        optimizer.zero_grad()
        cross_entropy(model(rows), labels).backward()
        optimizer.step()
    records = {
        "arrays": ArrayRecord(model.state_dict()),
        "metrics": MetricRecord({"num-examples": ROWS}),
    }
    return Message(content=RecordDict(records), reply_to=message)


def note_the_time(_round: int, _arrays: ArrayRecord) -> MetricRecord:
    ended_at_s.append(time.perf_counter())
    return MetricRecord({"seen": 1})


@server.main()  # type: ignore[untyped-decorator, unused-ignore]
def serve(grid: Grid, _context: Context) -> None:
    strategy = FedAvg(fraction_train=0.5, fraction_evaluate=0.0)
    arrays = ArrayRecord(new_model().state_dict())
    strategy.start(grid, arrays, num_rounds=ROUNDS, evaluate_fn=note_the_time)


CLIENTS = int(sys.argv[1]) if len(sys.argv) > 1 else 50
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 10


def main() -> None:
    logging.disable(logging.INFO)
    began_s = time.perf_counter()
    resources: dict[str, Any] = {
        "client_resources": {"num_cpus": 1, "num_gpus": 0.0},
        "init_args": {"num_cpus": CORES, "include_dashboard": False},
    }
    run_simulation(server, client, CLIENTS, backend_config=resources)
    run_s = time.perf_counter() - began_s
    rate = (len(ended_at_s) - 2) / (ended_at_s[-1] - ended_at_s[1])
    row = {"name": f"Flower's simulation, {CLIENTS} clients", "rounds_per_s": round(rate, 2)}
    print(json.dumps({**row, "run_s": round(run_s, 1)}))


if __name__ == "__main__":
    main()
