"""Torch's files are read as numbers; whatever else a pickle asks for is refused before it happens."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from callboard.errors import WeightsRefused
from callboard.graphs.tensors import read_torch

FILE = "weights.pth"


def state() -> dict[str, torch.Tensor]:
    """Make tensors of several types and shapes: one laid out by column, one that starts in the middle, a scalar."""
    torch.manual_seed(1)
    whole = torch.randn(6, 8)
    return OrderedDict(
        straight=whole,
        turned=torch.randn(4, 3, 3).permute(2, 0, 1),
        part=whole[2:5, 1:7],
        halves=torch.randn(5).half(),
        count=torch.tensor(7),
        none=torch.zeros(0, 4),
    )


@pytest.mark.parametrize("archive", [True, False])
def test_tensors_are_what_torch_reads(tmp_path: Path, archive: bool) -> None:
    """Both of torch's formats give the same names, types, shapes and numbers as torch's own reader."""
    torch.save(state(), tmp_path / FILE, _use_new_zipfile_serialization=archive)
    read = read_torch(tmp_path / FILE)
    assert list(read) == list(state())
    for name, tensor in torch.load(tmp_path / FILE, weights_only=True).items():
        assert read[name].dtype == tensor.numpy().dtype
        assert read[name].flags.c_contiguous
        np.testing.assert_array_equal(read[name], tensor.numpy())


@pytest.mark.parametrize("archive", [True, False])
def test_one_part_of_a_checkpoint_is_read(tmp_path: Path, archive: bool) -> None:
    """A checkpoint holds a state dict beside what training needs; without its name the file is refused."""
    training = {"lr": 1e-4, "betas": (0.9, 0.999), "kept": {0: {"mean": torch.randn(4).double()}}}
    checkpoint = {"step": 3, "model": state(), "optimizer": training}
    torch.save(checkpoint, tmp_path / FILE, _use_new_zipfile_serialization=archive)
    read = read_torch(tmp_path / FILE, part="model")
    assert list(read) == list(state())
    for name, tensor in state().items():
        np.testing.assert_array_equal(read[name], tensor.numpy())
    for part in ("", "step", "optimizer", "weights"):
        with pytest.raises(WeightsRefused, match=FILE):
            read_torch(tmp_path / FILE, part=part)


def zipped(path: Path, content: bytes, **storages: bytes) -> Path:
    """Write an archive as torch does, around a pickle of one's own."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        for key, raw in storages.items():
            archive.writestr(f"archive/data/{key}", raw)
    return path


class Runs:
    """Runs a command when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self._mark}",)


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("archive", [True, False])
def test_a_pickle_that_runs_a_command_is_refused(tmp_path: Path, protocol: int, archive: bool) -> None:
    """os.system in a pickle is refused in every protocol, and does not run."""
    mark = tmp_path / "ran"
    content = pickle.dumps({"weight": Runs(mark)}, protocol)
    if archive:
        zipped(tmp_path / FILE, content)
    else:
        lead = b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
        (tmp_path / FILE).write_bytes(lead + content)
    with pytest.raises(WeightsRefused, match=FILE):
        read_torch(tmp_path / FILE)
    assert not mark.exists()


def named(*names: bytes) -> bytes:
    """Make a pickle, by hand, that calls what is named with no arguments."""
    return (
        b"\x80\x02}("
        + b"".join(b"X\x01\x00\x00\x00" + bytes([97 + at]) + b"c" + name + b")R" for at, name in enumerate(names))
        + b"u."
    )


@pytest.mark.parametrize("name", [b"builtins\neval\n", b"torch\nload\n", b"numpy\nload\n", b"collections\nCounter\n"])
def test_an_unknown_name_is_refused(tmp_path: Path, name: bytes) -> None:
    """Any name but a state dict's own is refused, and said."""
    said = name.decode().strip().replace("\n", ".")
    with pytest.raises(WeightsRefused, match=f"names {said}"):
        read_torch(zipped(tmp_path / FILE, named(name)))


def tensor(shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0, count: int = 4) -> bytes:
    """Make the pickle of a state dict with one float tensor."""

    def numbers(values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(b"\x8a\x08" + struct.pack("<q", value) for value in values) + b"t"

    storage = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
    storage += b"\x8a\x08" + struct.pack("<q", count) + b"tQ"
    view = storage + b"\x8a\x08" + struct.pack("<q", offset) + numbers(shape) + numbers(strides) + b"\x89}"
    return b"\x80\x02}(X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n(" + view + b"tRu."


def test_a_tensor_by_hand_is_read(tmp_path: Path) -> None:
    """What the refusals below are made by does give a tensor where its numbers are right."""
    raw = struct.pack("<4f", 1, 2, 3, 4)
    read = read_torch(zipped(tmp_path / FILE, tensor((2, 2), (1, 2)), **{"0": raw}))
    assert read["w"].tolist() == [[1.0, 3.0], [2.0, 4.0]]


@pytest.mark.parametrize(
    "content",
    [
        tensor((2, 3), (3, 1)),
        tensor((2, 2), (2, 1), offset=1),
        tensor((1 << 29,), (0,)),
        tensor((1 << 29, 1 << 29), (1, 1)),
        tensor((2, 2), (-2, 1)),
        tensor((2, 2), (1,)),
        tensor((1,) * 9, (1,) * 9),
        tensor((2, 2), (1 << 29, 1)),
    ],
    ids=["long", "late", "repeated", "huge", "backwards", "uneven", "deep", "far"],
)
def test_a_tensor_beyond_its_numbers_is_refused(tmp_path: Path, content: bytes) -> None:
    """Shapes, strides and offsets that reach outside, or ask for more memory than the file has, are refused."""
    with pytest.raises(WeightsRefused):
        read_torch(zipped(tmp_path / FILE, content, **{"0": bytes(16)}))


def test_a_place_beyond_the_pickle_is_refused(tmp_path: Path) -> None:
    """A memo index in the billions would take memory up to there; it is refused by the list of opcodes."""
    with pytest.raises(WeightsRefused, match="place beyond"):
        read_torch(zipped(tmp_path / FILE, b"\x80\x02}r\xff\xff\xff\x7f."))


def test_no_pickle_changes_the_next_reading(tmp_path: Path) -> None:
    """BUILD on what stands for torch's function is refused: what one file says cannot change how others are read."""
    poison = b"\x80\x02}(X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n}X\x04\x00\x00\x00_MARK\x01sbu."
    poison = poison.replace(b"_MARK\x01", b"mark\x88")
    with pytest.raises(WeightsRefused):
        read_torch(zipped(tmp_path / FILE, poison))
    assert read_torch(zipped(tmp_path / FILE, tensor((4,), (1,)), **{"0": bytes(16)}))["w"].shape == (4,)


def test_what_is_no_state_dict_is_refused(tmp_path: Path) -> None:
    """A list, text, a compressed archive, a cut file and a file over the limit are refused with the file's name."""
    path = tmp_path / FILE
    for content in (pickle.dumps([1, 2], 2), pickle.dumps({"w": "text"}, 2), b"", b"\x80"):
        with pytest.raises(WeightsRefused, match=FILE):
            read_torch(zipped(path, content))
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(WeightsRefused, match=FILE):
        read_torch(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(1 << 20))
    with pytest.raises(WeightsRefused, match="compressed"):
        read_torch(path)
    torch.save(state(), path)
    with pytest.raises(WeightsRefused, match="at most 100"):
        read_torch(path, most=100)


@pytest.mark.parametrize("archive", [True, False])
def test_a_cut_file_is_refused(tmp_path: Path, archive: bool) -> None:
    """However much of a file is missing, it is refused, and never half read."""
    buffer = io.BytesIO()
    torch.save(state(), buffer, _use_new_zipfile_serialization=archive)
    whole = buffer.getvalue()
    for length in range(0, len(whole) - 1, max(len(whole) // 60, 1)):
        (tmp_path / FILE).write_bytes(whole[:length])
        with pytest.raises(WeightsRefused):
            read_torch(tmp_path / FILE)


def test_a_file_cut_within_its_last_count_is_refused(tmp_path: Path) -> None:
    """Torch orders storages by their address: where the last one is empty, its count is all that a cut can take."""
    torch.save(OrderedDict(none=torch.zeros(0, 4)), tmp_path / FILE, _use_new_zipfile_serialization=False)
    whole = (tmp_path / FILE).read_bytes()
    for missing in range(1, 9):
        (tmp_path / FILE).write_bytes(whole[:-missing])
        with pytest.raises(WeightsRefused):
            read_torch(tmp_path / FILE)
