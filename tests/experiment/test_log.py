"""What loggers write can be read back."""

import json
import struct

import pytest

from creative_rl.experiment import log

RECORDS = [
    {"update": 3, "steps": 30, "seconds": 0.5, "loss": 0.25},
    {"update": 6, "steps": 60, "seconds": 1.0, "loss": 0.125, "episode_return": [1.5, None]},
]


def test_json_lines_append(tmp_path):
    for record in RECORDS:
        log.JsonLines(tmp_path / "m.jsonl").write([record])
    lines = (tmp_path / "m.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == RECORDS


def test_tensorboard_events(tmp_path):
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2")
    logger = log.TensorBoard(tmp_path)
    logger.write(RECORDS)
    logger.close()
    (path,) = tmp_path.iterdir()
    data, scalars = path.read_bytes(), {}
    while data:  # length, its checksum, the event, its checksum
        (size,) = struct.unpack("<Q", data[:8])
        event = event_pb2.Event.FromString(data[12 : 12 + size])
        data = data[16 + size :]
        for value in event.summary.value:
            scalars[event.step, value.tag] = value.simple_value
    assert scalars == {
        (3, "steps"): 30, (3, "seconds"): 0.5, (3, "loss"): 0.25,
        (6, "steps"): 60, (6, "seconds"): 1.0, (6, "loss"): 0.125,
        (6, "episode_return/seed-0"): 1.5,
    }  # fmt: skip


def test_events_that_cannot_be_written_are_a_warning(tmp_path, monkeypatch, caplog):
    """The records are in `metrics.jsonl`."""
    pytest.importorskip("tensorboardX")
    logger = log.TensorBoard(tmp_path)

    def full():
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(logger._writer, "close", full)
        logger.close()
    logger._writer.file_writer.event_writer._closed = False
    logger._writer.close()
    assert caplog.messages == ["TensorBoard events are not complete: No space left on device"]


def test_unknown_logger(tmp_path):
    with pytest.raises(ValueError, match="unknown logger 'tensorbord'"):
        log.open_loggers(tmp_path, ["tensorbord"])


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"pip install 'creative_rl\[log\]'"):
        log.open_loggers(tmp_path, ["tensorboard"])
    assert [type(logger) for logger in log.open_loggers(tmp_path, None)] == [log.JsonLines]


def test_weights_and_biases_offline(tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    logger = log.WeightsAndBiases(tmp_path)
    logger.write(RECORDS)
    logger.close()
    assert list((tmp_path / "wandb").glob("offline-run-*"))
