"""A stand-in for flwr and an app, to be written into a folder: they know what the child uses.

flwr itself asks for other versions of libraries than this project and is not installed for tests;
the tutorial tells of a run with it.
"""

from __future__ import annotations

from pathlib import Path

FLWR = """
class Array:
    def __init__(self, array):
        self.array = array

    def numpy(self):
        return self.array


class ArrayRecord(dict):
    def __init__(self, array_dict):
        super().__init__(array_dict)


class MetricRecord(dict):
    pass


ConfigRecord = MetricRecord


class RecordDict(dict):
    @property
    def array_records(self):
        return {name: each for name, each in self.items() if isinstance(each, ArrayRecord)}

    @property
    def metric_records(self):
        return {name: each for name, each in self.items() if isinstance(each, MetricRecord)}


class Metadata:
    def __init__(self, **values):
        self.__dict__.update(values)


class Message:
    def __init__(self, content, metadata=None):
        self.content, self.metadata = content, metadata

    def has_error(self):
        return False


class Context:
    def __init__(self, **values):
        self.__dict__.update(values)
"""

APPS = '''
import json
import os
import subprocess
import sys

import numpy
from flwr.app import Array, ArrayRecord, Message, MetricRecord, RecordDict


def reply(arrays, examples):
    metrics = MetricRecord({"num-examples": examples})
    content = RecordDict(arrays=ArrayRecord(arrays), metrics=metrics)
    return Message(content)


def halve(message, context):
    """All weights halved; as many examples as the round's number; talks on standard output."""
    print("halving")
    assert message.metadata.message_type == "train"
    assert os.path.getsize(context.node_config["rows"]) > 0
    arrays = {name: Array(each.numpy() / 2) for name, each in message.content["arrays"].items()}
    return reply(arrays, message.content["config"]["server-round"])


def forget(message, context):
    arrays = dict(message.content["arrays"])
    del arrays["hidden.bias"]
    return reply(arrays, 1)


def flatten(message, context):
    arrays = message.content["arrays"]
    return reply({name: Array(each.numpy().reshape(-1)) for name, each in arrays.items()}, 1)


def poison(message, context):
    arrays = message.content["arrays"]
    return reply({name: Array(each.numpy() * numpy.nan) for name, each in arrays.items()}, 1)


def count_nothing(message, context):
    return reply(message.content["arrays"], 0)


def count_a_truth(message, context):
    return reply(message.content["arrays"], True)


def lie(message, context):
    """Takes the protocol over: the answer is that of a child that checks nothing."""
    json.dumps = lambda _: '{"examples": -1}'
    return reply(message.content["arrays"], 1)


def two(message, context):
    arrays = message.content["arrays"]
    content = RecordDict(a=arrays, b=ArrayRecord(dict(arrays)))
    return Message(content)


def fail(message, context):
    raise RuntimeError("no memory left")


def babble(message, context):
    print("x" * 100_000)
    raise RuntimeError("said enough")


def hang(message, context):
    """Reads on where the worker says nothing more."""
    sys.stdin.buffer.read()


def spawn(message, context):
    """Leaves a process behind that holds the pipe `alive` open."""
    with open("alive", "wb") as pipe:
        subprocess.Popen(
            [sys.executable, "-c", "import signal; signal.pause()"], stdout=pipe, stdin=pipe
        )
    return reply(message.content["arrays"], 1)
'''


def write_apps(folder: Path) -> None:
    """The package flwr and the module `apps`."""
    package = folder / "flwr"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "app.py").write_text(FLWR)
    (folder / "apps.py").write_text(APPS)
