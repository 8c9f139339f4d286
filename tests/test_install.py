"""Installing bundles: valid ones can be used, all others are refused."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nlpkit.answers import Text
from nlpkit.errors import ModelError, UsageError
from nlpkit.jobs import install

Cli = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def bundle(
    tiny_bundle: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    monkeypatch.setenv("NLPKIT_HOME", str(tmp_path / "home"))
    shutil.copytree(tiny_bundle("lstm"), tmp_path / "mine")
    change(tmp_path / "mine", lambda manifest: manifest.update(name="mine"))
    return tmp_path / "mine"


def change(folder: Path, how: Callable[[dict[str, Any]], Any]) -> None:
    path = folder / "bundle.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    how(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def put(folder: Path, name: str, content: bytes) -> None:
    """Replace a file and its hash in the manifest, as an attacker would."""
    (folder / name).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    change(folder, lambda manifest: manifest["files"].update({name: digest}))


def zipped(folder: Path, target: Path, inside: str = "mine/") -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in folder.iterdir():
            archive.write(path, inside + path.name)
    return target


def installed(tmp_path: Path) -> list[str]:
    shelf = tmp_path / "home/bundles"
    return sorted(path.name for path in shelf.iterdir()) if shelf.exists() else []


def test_folder_or_zip_can_be_installed_used_and_removed(
    bundle: Path, tmp_path: Path, cli: Cli
) -> None:
    for source in (
        bundle,
        zipped(bundle, tmp_path / "a.zip"),
        zipped(bundle, tmp_path / "b.zip", ""),
    ):
        done = cli("models", "add", source)
        assert done.returncode == 0, done.stderr
        assert b"use it with --model mine" in done.stdout
        assert installed(tmp_path) == ["mine"]
        assert cli("predict", "-m", "mine", stdin=b"adorei\n").returncode == 0
        assert cli("models", "verify", "mine").returncode == 0
        assert cli("models", "remove", "mine").returncode == 0
        assert installed(tmp_path) == []
    assert b"none is installed" in cli("models", "remove", "mine").stderr


def test_a_zip_made_by_macos_is_installed(bundle: Path, tmp_path: Path) -> None:
    path = zipped(bundle, tmp_path / "a.zip")
    with zipfile.ZipFile(path, "a") as archive:
        for name in (
            "__MACOSX/mine/._bundle.json",
            "__MACOSX/._mine",
            ".DS_Store",
            "mine/.DS_Store",
        ):
            archive.writestr(name, b"\0\5\x16\7")
        archive.writestr("mine/._golden.jsonl", b"\0\5\x16\7")
    target = install.add(path).path
    assert target is not None
    assert not [each.name for each in target.iterdir() if each.name.startswith((".", "_"))]


def test_one_of_the_same_name_is_replaced_only_if_asked(bundle: Path, tmp_path: Path) -> None:
    install.add(bundle)
    with pytest.raises(UsageError, match="a model of that name is already in .*--replace"):
        install.add(bundle)
    install.add(bundle, replace=True)
    assert installed(tmp_path) == ["mine"]
    for name in ("../mine", "", ".", "other"):
        with pytest.raises(UsageError):
            install.remove(name)


@pytest.mark.parametrize("name", ["../evil", "mine/../../evil", "/etc/evil", "mine/a b", "mine/.x"])
def test_zip_with_paths_outside_its_folder_is_refused(
    name: str, bundle: Path, tmp_path: Path
) -> None:
    path = zipped(bundle, tmp_path / "a.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(ModelError, match="a link or outside the folder|several folders"):
        install.add(path)
    assert installed(tmp_path) == []
    assert not [*tmp_path.rglob("evil")]


def test_zip_bombs_and_links_are_refused(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(bundle, tmp_path / "a.zip")
    monkeypatch.setattr(install, "MOST_BYTES", 1 << 20)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mine/zeros", b"\0" * (4 << 20))
    with pytest.raises(ModelError, match="unpacks to more than"):
        install.add(path)
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("mine/bundle.json")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ModelError, match="a link or outside the folder"):
        install.add(path)
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(install.MOST_FILES + 1):
            archive.writestr(f"mine/f{number}", b"")
    with pytest.raises(ModelError, match="a bundle has 100 at most"):
        install.add(path)
    (bundle / "link").symlink_to("/etc/passwd")
    change(bundle, lambda manifest: manifest["files"].update(link="0" * 64))
    with pytest.raises(ModelError, match="a link, which"):
        install.add(bundle)
    assert installed(tmp_path) == []


def test_truncated_or_invalid_zip_is_refused(bundle: Path, tmp_path: Path) -> None:
    content = zipped(bundle, tmp_path / "a.zip").read_bytes()
    for damaged in (content[: len(content) // 2], b"PK\x03\x04" + b"x" * 100, b""):
        (tmp_path / "b.zip").write_bytes(damaged)
        with pytest.raises(ModelError, match="neither the folder of a bundle nor a zip"):
            install.add(tmp_path / "b.zip")
    middle = len(content) // 3
    (tmp_path / "b.zip").write_bytes(content[:middle] + b"\xff" * 99 + content[middle + 99 :])
    with pytest.raises(ModelError):
        install.add(tmp_path / "b.zip")
    with pytest.raises(UsageError, match="no such file"):
        install.add(tmp_path / "c.zip")


def test_truncated_network_and_external_weights_are_refused(bundle: Path) -> None:
    onnx = pytest.importorskip("onnx")
    graph = json.loads((bundle / "bundle.json").read_text())["graphs"]["main"]
    name = next(iter(graph["files"].values()))
    whole = (bundle / name).read_bytes()
    put(bundle, name, whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="ONNX Runtime can't load it"):
        install.add(bundle)
    model = onnx.load_from_string(whole)
    tensor = model.graph.initializer[0]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    put(bundle, name, model.SerializeToString())
    with pytest.raises(ModelError, match="keeps weights in another file"):
        install.add(bundle)


def test_inconsistent_bundles_are_refused(bundle: Path) -> None:
    kept = (bundle / "bundle.json").read_text()
    change(bundle, lambda manifest: manifest["task"]["labels"].append("other"))
    with pytest.raises(ModelError):
        install.add(bundle)
    (bundle / "bundle.json").write_text(kept)
    change(bundle, lambda manifest: manifest.update(name="../mine"))
    with pytest.raises(ModelError, match="not a valid folder name"):
        install.add(bundle)
    (bundle / "bundle.json").write_text(kept)
    tokenizer = json.loads((bundle / "tokenizer.json").read_text())
    vocab = tokenizer["model"]["vocab"]
    vocab["q\u0142\u0142q"] = len(vocab) + 5000
    for extra in range(len(vocab), len(vocab) + 5000):
        vocab[f"extra\u0142{extra}"] = extra
    put(bundle, "tokenizer.json", json.dumps(tokenizer).encode())
    with pytest.raises(ModelError, match="more than the network's embedding"):
        install.add(bundle)


def test_wrong_golden_answers_are_refused(bundle: Path) -> None:
    lines = (bundle / "golden.jsonl").read_text(encoding="utf-8").splitlines()
    first = json.loads(lines[0])
    first["scores"] = dict.fromkeys(first["scores"], 0.3333)
    put(bundle, "golden.jsonl", "\n".join([json.dumps(first), *lines[1:]]).encode())
    with pytest.raises(ModelError, match="predicted .* for .*, expected .*0.3333"):
        install.add(bundle)
    put(bundle, "golden.jsonl", b"[]\n")
    with pytest.raises(ModelError, match="damaged"):
        install.add(bundle)


def test_lower_precision_may_change_a_few_golden_answers() -> None:
    class Halved:
        def predict(self, texts: list[str]) -> list[Text]:
            return [Text(text[:1]) for text in texts]

    golden = [
        (text, {"output": output}) for text, output in (("aa", "a"), ("bb", "b"), ("cc", "d"))
    ]
    model: Any = Halved()
    assert install._distance(model, golden, "mine in fp16", install.NEARBY) == 0.0
    with pytest.raises(ModelError, match="expected"):
        install._distance(model, golden, "mine in int8", install.NEAR)
    with pytest.raises(ModelError, match="expected"):
        install._distance(model, [*golden[1:], ("ee", {"output": "f"})], "x", install.NEARBY)
