"""The program that runs a participant's Flower `ClientApp` for one training, in its own Python.

Read as text by `ml.flower` and given to that interpreter, so it imports nothing of this project:
flwr and numpy alone, and those late. Frames (8 bytes of length, little endian, then the bytes) come
on standard input and go to standard output: a JSON object of settings and a safetensors file of
float32 weights in; a JSON object with the number of examples, and the bodies of all tensors one
after another in the order of their names out. What the app prints goes to standard error.
Invariant: nothing is answered before the app has returned weights of the same names and shapes.
Source: WP VI.B, VI.C (local training is the participant's own choice).
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import Any, BinaryIO

LENGTH_BYTES = 8
SEPARATOR = ":"
TTL_S = 86_400.0  # the worker's deadline is the one that counts


def main() -> None:
    """One request, one answer. Whatever is wrong ends the process with its own error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    settings = json.loads(read_frame(sys.stdin.buffer))
    weights = read_weights(read_frame(sys.stdin.buffer))
    examples, trained = train(load_app(settings["app"]), weights, settings)
    write_frame(answers, json.dumps({"examples": examples}).encode())
    write_frame(answers, b"".join(to_bytes(name, weights, trained) for name in sorted(weights)))
    answers.close()


def load_app(name: str) -> Any:
    """The object `app` of `module:app`; modules are looked for where the worker was started."""
    module, found, attribute = name.partition(SEPARATOR)
    if not found:
        raise SystemExit(f"{name!r} is not of the form module:app")
    return getattr(importlib.import_module(module), attribute)


def train(app: Any, weights: dict[str, Any], settings: dict[str, Any]) -> tuple[int, Any]:
    """The number of examples and the arrays of the app's answer to a message of type `train`."""
    flwr = importlib.import_module("flwr.app")
    arrays = flwr.ArrayRecord(array_dict={name: flwr.Array(weights[name]) for name in weights})
    config = flwr.ConfigRecord({"server-round": settings["round"]})
    content = flwr.RecordDict({"arrays": arrays, "config": config})
    metadata = flwr.Metadata(
        run_id=0,
        message_id="",
        src_node_id=0,
        dst_node_id=0,
        reply_to_message_id="",
        group_id="",
        created_at=time.time(),
        ttl=TTL_S,
        message_type="train",
    )
    message = flwr.Message(content=content, metadata=metadata)
    node = {"rows": settings["rows"], "partition-id": 0, "num-partitions": 1}
    context = flwr.Context(
        run_id=0, node_id=0, node_config=node, state=flwr.RecordDict(), run_config={}
    )
    reply = app(message, context)
    if reply.has_error():
        raise SystemExit(f"the app answered with an error: {reply.error.reason}")
    records = list(reply.content.array_records.values())
    if len(records) != 1:
        raise SystemExit(f"the app answered with {len(records)} records of arrays, not 1")
    metrics = reply.content.metric_records.values()
    counts = [record["num-examples"] for record in metrics if "num-examples" in record]
    if len(counts) != 1 or isinstance(counts[0], bool) or int(counts[0]) < 1:
        raise SystemExit("the app did not answer with one num-examples of at least 1")
    return int(counts[0]), records[0]


def read_weights(file: bytes) -> dict[str, Any]:
    """The float32 tensors of a safetensors file by name."""
    numpy = importlib.import_module("numpy")
    start = LENGTH_BYTES + int.from_bytes(file[:LENGTH_BYTES], "little")
    found = {}
    for name, entry in json.loads(file[LENGTH_BYTES:start]).items():
        first, end = entry["data_offsets"]
        body = bytearray(file[start + first : start + end])
        found[name] = numpy.frombuffer(body, dtype="<f4").reshape(entry["shape"])
    return found


def to_bytes(name: str, weights: dict[str, Any], trained: Any) -> bytes:
    """The body of one trained tensor."""
    if sorted(trained) != sorted(weights):
        raise SystemExit(f"the app answered with {sorted(trained)}, not {sorted(weights)}")
    tensor = trained[name].numpy()
    if tensor.shape != weights[name].shape:
        raise SystemExit(f"{name} has shape {tensor.shape}, not {weights[name].shape}")
    body: bytes = tensor.astype("<f4").tobytes()
    return body


def read_frame(pipe: BinaryIO) -> bytes:
    """One frame of the worker's."""
    return pipe.read(int.from_bytes(pipe.read(LENGTH_BYTES), "little"))


def write_frame(pipe: BinaryIO, payload: bytes) -> None:
    """One frame for the worker."""
    pipe.write(len(payload).to_bytes(LENGTH_BYTES, "little") + payload)
    pipe.flush()


if __name__ == "__main__":
    main()
