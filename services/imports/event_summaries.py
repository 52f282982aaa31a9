"""What the summaries in the events of one run say: scalars, texts and hyper-parameters, every point kept."""

import math
from array import array
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.util.tensor_util import make_ndarray

from services.imports.limits import (
    LARGEST_INTEGER,
    MAX_TEXT_BYTES,
    checked_count,
    checked_key,
    checked_step,
    checked_text,
    decode,
    finite_time,
)
from services.imports.run import BadValue, ImportedSeries

# PyTorch and TensorFlow 1 append this to the tag of a text.
_TEXT_SUFFIX = "/text_summary"
_MAX_TEXTS = 1000


class RunSummaries:
    """Collects the events of one run, file after file; the size of what it keeps is bounded but for the points."""

    def __init__(self) -> None:
        self.hyperparameters: dict[str, Any] = {}
        self.texts: dict[str, list[tuple[int, str]]] = {}
        self.session_status: int | None = None
        self.first_time = math.nan
        self.last_time = math.nan
        self._points: dict[str, tuple[array[int], array[float], array[float]]] = {}
        self._plugins: dict[str, str] = {}  # only the first value of a tag names its plugin
        self._text_count = 0

    def add(self, event: Event) -> None:
        """Take over what one event says."""
        when = finite_time(event.wall_time)
        if not math.isnan(when):
            self.first_time = when if math.isnan(self.first_time) else min(self.first_time, when)
            self.last_time = when if math.isnan(self.last_time) else max(self.last_time, when)
        for value in event.summary.value:
            self._add_value(value, event.step, when)

    def series(self) -> tuple[ImportedSeries, ...]:
        """Give the scalars in order of time; values of one moment, or without a time, stay as they were written."""
        made = []
        for tag, (steps, values, times) in self._points.items():
            when = np.array(times, dtype=np.float64)
            # Files overlap in time when a run is resumed while the old process still writes.
            order = np.argsort(when, kind="stable") if np.isfinite(when).all() else np.arange(len(when))
            made.append(ImportedSeries.of(tag, np.array(steps)[order], np.array(values)[order], when[order]))
        return tuple(made)

    def _add_value(self, value: Summary.Value, step: int, when: float) -> None:
        plugin = value.metadata.plugin_data.plugin_name
        if plugin and value.tag not in self._plugins:
            checked_count(len(self._plugins), "tag")
            self._plugins[value.tag] = plugin
        kind = value.WhichOneof("value")
        plugin = self._plugins.get(value.tag, "")
        if kind == "simple_value":
            self._add_point(value.tag, step, value.simple_value, when)
        elif plugin == "hparams":
            self._add_hyperparameters(value.metadata.plugin_data.content)
        elif kind == "tensor" and plugin == "scalars":
            self._add_point(value.tag, step, _scalar(value.tensor, value.tag), when)
        elif kind == "tensor" and plugin == "text":
            self._add_text(value.tag.removesuffix(_TEXT_SUFFIX), step, value.tensor)

    def _add_point(self, tag: str, step: int, value: float, when: float) -> None:
        if tag not in self._points:
            checked_count(len(self._points) + 1, "metric")
            if checked_key(tag) != tag:
                tag = checked_key(tag)
            self._points.setdefault(tag, (array("q"), array("d"), array("d")))
        steps, values, times = self._points[tag]
        steps.append(checked_step(step, f"A step of “{tag}”"))
        values.append(value)
        times.append(when)

    def _add_text(self, tag: str, step: int, tensor: TensorProto) -> None:
        self._text_count += 1
        if self._text_count > _MAX_TEXTS or not tensor.string_val:
            return
        raw = b"\n".join(tensor.string_val)[: MAX_TEXT_BYTES + 4]
        text = decode(raw[:MAX_TEXT_BYTES]) + (" …" if len(raw) > MAX_TEXT_BYTES else "")
        self.texts.setdefault(checked_key(tag, "text"), []).append((step, text.strip()))

    def _add_hyperparameters(self, content: bytes) -> None:
        try:
            said = plugin_data_pb2.HParamsPluginData.FromString(content)
        except DecodeError as error:
            raise BadValue("The hyper-parameters are damaged.") from error
        if said.HasField("session_end_info"):
            self.session_status = said.session_end_info.status
        if not said.HasField("session_start_info"):
            return
        checked_count(len(said.session_start_info.hparams), "hyper-parameter")
        for key, value in sorted(said.session_start_info.hparams.items()):
            kind = value.WhichOneof("kind")
            key = checked_key(key, "hyper-parameter")
            if kind == "number_value":
                self.hyperparameters[key] = _number(value.number_value)
            elif kind == "bool_value":
                self.hyperparameters[key] = value.bool_value
            elif kind == "string_value":
                self.hyperparameters[key] = checked_text(value.string_value, f"Hyper-parameter “{key}”")


def _scalar(tensor: TensorProto, tag: str) -> float:
    # The shape is checked first: a claimed one could ask for an array of any size.
    size = math.prod(dim.size for dim in tensor.tensor_shape.dim)
    if size != 1 or len(tensor.tensor_shape.dim) > 8:
        raise BadValue(f"“{tag[:40]}” is named a scalar but holds {size} values.")
    try:
        return float(make_ndarray(tensor).reshape(()))
    except (ValueError, TypeError) as error:
        raise BadValue(f"“{tag[:40]}” is named a scalar but holds no number.") from error


def _number(value: float) -> int | float | str:
    # The plugin knows only floats: a batch size of 32 comes as 32.0. JSON has no NaN, so that stays a word.
    if not math.isfinite(value):
        return str(value)
    return int(value) if value.is_integer() and abs(value) <= min(2**53, LARGEST_INTEGER) else value
