"""Records of TensorBoard event files, read to the last whole one with TensorBoard's own record reader."""

from collections.abc import Iterator
from pathlib import Path

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from tensorboard.backend.event_processing.io_wrapper import IsTensorFlowEventsFile
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.tensorflow_stub import errors
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New

from services.imports.run import BadValue

MAX_RECORD_BYTES = 256 * 1024 * 1024  # above any image or graph; a record's length is what the file claims


class _BoundedReader(PyRecordReader_New):  # type: ignore[misc]
    def _read(self, n: int) -> bytes:
        # The stock reader would reserve whatever length a hostile header names.
        if n > MAX_RECORD_BYTES:
            raise errors.DataLossError(None, None, "a record claims to be larger than 256 MiB")
        data: bytes = super()._read(n)
        return data


class EventFile:
    """One event file; after the records were read, `is_torn` tells whether the last one was cut off."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_torn = False
        self.records = 0

    def __iter__(self) -> Iterator[Event]:
        # EventFileLoader stops without a word at a damaged record as at a torn one; here only the torn one is normal.
        reader = _BoundedReader(str(self.path))
        while True:
            try:
                reader.GetNext()
            except errors.OutOfRangeError:
                return
            except errors.DataLossError as error:
                if "truncated record" in str(error.message):
                    self.is_torn = True
                    return
                raise BadValue(self._damage("fails its checksum")) from error
            try:
                event = Event.FromString(reader.record())
            except DecodeError as error:
                raise BadValue(self._damage("is not an event")) from error
            self.records += 1
            yield event

    def _damage(self, what: str) -> str:
        return f"{self.path.name} is damaged: record {self.records + 1} {what}."


def is_event_file(path: Path) -> bool:
    """Tell event files by name, as TensorBoard does; the profiler's empty marker is none."""
    return bool(IsTensorFlowEventsFile(path.name)) and not path.name.endswith(".profile-empty")
