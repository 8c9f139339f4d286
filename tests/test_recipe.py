"""Recipes: errors, overrides, and a short run of every shipped recipe."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, sentences, tiny_tree, write_jsonl

from nlpkit import catalog, tasks
from nlpkit.errors import InputError, UsageError
from nlpkit.settings import declaration, files, recipe

ALL = sorted((ROOT / "models").rglob("recipe.toml"))
PRETRAINING = [path for path in ALL if "[objective]" in path.read_text(encoding="utf-8")]
RECIPES = [path for path in ALL if path not in PRETRAINING]
DECODERS = {
    "transformer": ["decoder.layers=1", "decoder.width=24"],
    "lstm": ["decoder.layers=1", "decoder.embedding=24", "decoder.hidden=24"],
}
SMALL = {
    "transformer": ["architecture.layers=1", "architecture.width=24"],
    "ngrams": ["architecture.buckets=1000"],
    "bert": ["architecture.layers=1"],
}


def test_recipes_are_shipped() -> None:
    assert len(RECIPES) >= 3


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.parent.name)
def test_shipped_recipe_trains_for_two_steps(path: Path, tmp_path: Path) -> None:
    from nlpkit.training import run

    made = recipe.load(path)
    assert made.name == path.parent.name
    assert made.data.exclude, "a shipped recipe excludes the test sets"
    assert all(source.licence for source in made.data.train)
    if made.task.name == "tag":
        rows: list[dict] = sentences(12, 1)
        dev: list[dict] = sentences(2, 2)
        fields = ', text="words", label="upos"'
    elif made.task.name == "entities":
        kinds = made.task.config.types or ("LOC",)
        rows = [
            {"text": f"em Itu {n}", "entities": [[3, 6, kind]]}
            for n, kind in enumerate([*kinds] * 2)
        ]
        dev, fields = [{"text": "na Itu", "entities": [[3, 6, kinds[0]]]}], ""
    elif made.task.name == "generate":
        rows = [{"text": f"a house {n}", "target": f"uma casa {n}"} for n in range(12)]
        dev, fields = [{"text": "a house", "target": "uma casa"}], ""
    else:
        words = {"negative": "ruim", "positive": "bom", "neutral": "mesa"}
        rows = [
            {"text": f"{w} {n}", "label": label} for n in range(4) for label, w in words.items()
        ]
        dev, fields = [{"text": "muito bom", "label": "positive"}], ""
    write_jsonl(tmp_path / "train.jsonl", rows)
    write_jsonl(tmp_path / "dev.jsonl", dev)
    small = [
        f'data.train=[{{path="train.jsonl"{fields}}}]',
        f'data.dev=[{{path="dev.jsonl"{fields}}}]',
        "data.exclude=[]",
        "train.epochs=1",
        "train.steps=0",
        "train.eval_steps=0",
        "train.batch_size=6",
        "train.batch_tokens=0",
        "train.threads=1",
        'tokenizer.vectors=""',
        'init.run=""',
        "init.freeze=0",
        "distill.teachers=[]",
        "distill.texts=[]",
        *(SMALL.get(made.architecture.name, []) if made.architecture else []),
        *(DECODERS[made.decoder.name] if made.decoder else []),
        *(['task.lexicon=""'] if made.task.name == "tag" else []),
    ]
    tree = tomllib.loads(path.read_text(encoding="utf-8")) | {"augment": {}}
    made = recipe.from_dict(tree, folder=tmp_path, where="test", overrides=small)
    summary = run.train(
        made, tmp_path / "run", device="cpu", resume=False, listener=lambda event: None
    )
    assert summary and summary.epochs == 1


@pytest.mark.parametrize("path", PRETRAINING, ids=lambda path: path.parent.name)
def test_shipped_pretraining_recipe_runs_for_two_steps(path: Path, tmp_path: Path) -> None:
    from nlpkit.training import pretrain

    made = recipe.load_pretraining(path)
    assert made.name == path.parent.name
    assert made.corpus.exclude, "a shipped recipe excludes the test sets"
    assert all(source.licence for source in made.corpus.train)
    for name in ("train", "dev"):
        lines = [f"uma frase de {name} com o número {n}" for n in range(40)]
        (tmp_path / f"{name}.txt").write_text("\n".join(lines), encoding="utf-8")
    small = [
        'corpus.train=["train.txt"]',
        'corpus.dev=["dev.txt"]',
        "corpus.exclude=[]",
        "pretrain.steps=2",
        "pretrain.batch_tokens=512",
        "pretrain.threads=1",
        'init.run=""',
        *SMALL.get(made.architecture.name, []),
    ]
    tree = tomllib.loads(path.read_text(encoding="utf-8"))
    (tmp_path / "recipe.toml").write_text(declaration.toml(tree), encoding="utf-8")
    summary = pretrain.pretrain(
        recipe.load_pretraining(tmp_path / "recipe.toml", small),
        tmp_path / "run",
        device="cpu",
        resume=False,
        listener=lambda event: None,
    )
    assert summary and summary.data["train"][0]["rows"] == 40


def test_training_and_pretraining_recipes_name_the_right_command(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'nlpkit pretrain'"):
        recipe.load(PRETRAINING[0])
    with pytest.raises(UsageError, match="'nlpkit train'"):
        recipe.load_pretraining(RECIPES[0])


def test_every_problem_is_reported_at_once() -> None:
    tree = tiny_tree("lstm")
    tree["architecture"]["cel"] = "lstm"
    tree["train"]["epochs"] = "many"
    tree["trian"] = {}
    with pytest.raises(UsageError) as caught:
        recipe.from_dict(tree, folder=Path(), where="r.toml")
    said = str(caught.value)
    assert "[architecture] has no key 'cel'. Did you mean 'cell'?" in said
    assert "[train] epochs = 'many': must be int" in said
    assert "unknown section 'trian'. Did you mean 'train'?" in said


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("train.epoch=3", "Did you mean 'epochs'?"),
        ("epochs=3", "section.key=value"),
        ("architecture.cell=lsmt", "not one of lstm, gru, rnn. Did you mean 'lstm'?"),
        ("architecture.name=lsmt", "Did you mean 'lstm'?"),
        ("task.name=sentimento", "Did you mean 'sentiment'?"),
        ("train.lr=true", "must be float"),
        ("train.lr=nan", "finite"),
        ("name.x=3", "not a section"),
        ("architecture.vocab_size=9", "no key 'vocab_size'"),
        ("tokenizer.overlap=500", "overlap"),
        ("train.batch_size=0", "batch_size"),
    ],
)
def test_invalid_overrides_are_refused(override: str, said: str) -> None:
    with pytest.raises(UsageError, match=r"\S") as caught:
        recipe.from_dict(tiny_tree("lstm"), folder=Path(), where="r", overrides=[override])
    assert said in str(caught.value)


def test_overrides_are_parsed_as_toml() -> None:
    overrides = ["train.lr=1", "architecture.cell=gru", 'data.languages=["pt", "en"]']
    made = recipe.from_dict(tiny_tree("lstm"), folder=Path(), where="r", overrides=overrides)
    assert made.train.lr == 1.0
    assert made.architecture.config.cell == "gru"
    assert made.data.languages == ("pt", "en")


@pytest.mark.parametrize("arch", catalog.names("architectures"))
def test_resolved_recipe_round_trips(arch: str, tmp_path: Path) -> None:
    tree = tiny_tree(arch)
    tree["data"]["train"] = [{"path": 'a "b".jsonl', "missing_labels": 0.5, "licence": "x\\y"}]
    made = recipe.from_dict(tree, folder=tmp_path, where="r")
    (tmp_path / "r.toml").write_text(declaration.toml(made.to_dict()))
    assert recipe.load(tmp_path / "r.toml") == made


def every_network() -> list[tuple[str, str | None, str | None]]:
    """Return each task with each architecture and, if it writes, each decoder."""
    made: list[tuple[str, str | None, str | None]] = []
    for task in catalog.names("tasks"):
        writes = tasks.class_of(task).WRITES
        decoders = catalog.names("decoders") if writes else [None]
        made += [(task, arch, decoders[0]) for arch in catalog.names("architectures")]
        made += [(task, "lstm", decoder) for decoder in decoders[1:]]
    return [*made, *(("generate", None, name) for name in catalog.names("decoders"))]


@pytest.mark.parametrize(("task", "arch", "decoder"), every_network())
def test_init_writes_the_defaults(
    task: str, arch: str | None, decoder: str | None, tmp_path: Path
) -> None:
    from nlpkit.jobs.init import recipe_text
    from nlpkit.jobs.train import check, recipe_from_files

    (tmp_path / "r.toml").write_text(recipe_text(task, arch, decoder))
    made = recipe.load(tmp_path / "r.toml")
    parts = {"task": task, "architecture": arch, "decoder": decoder}
    plain = recipe_from_files(parts=parts, train=[], dev=[], fields={}, overrides=[])
    assert made.train == plain.train
    assert made.tokenizer == plain.tokenizer
    assert (made.task, made.architecture, made.decoder) == (
        plain.task,
        plain.architecture,
        plain.decoder,
    )
    if not (decoder and arch == "wordlstm"):  # whose tokens are words, which can't be written
        check(made)


def test_tasks_that_write_need_a_decoder_and_others_take_none() -> None:
    from nlpkit.jobs.init import recipe_text
    from nlpkit.jobs.train import check

    with pytest.raises(UsageError, match="--task generate writes texts: name a --decoder, one of"):
        recipe_text("generate", "lstm")
    with pytest.raises(UsageError, match="sentiment writes no texts"):
        recipe_text("sentiment", "lstm", "lstm")
    lstm, decoder = {"name": "lstm"}, {"decoder": {"name": "lstm"}}
    for parts, said in (
        ({"architecture": lstm, "task": {"name": "generate"}}, "name one of lstm, transformer"),
        ({"architecture": lstm, "task": {"name": "sentiment"}} | decoder, "writes no texts"),
        ({"task": {"name": "generate", "source": True}} | decoder, "needs [architecture]"),
        (
            {"task": {"name": "generate", "source": False}, "architecture": lstm} | decoder,
            "source = false reads no source",
        ),
        (
            {"task": {"name": "generate"}, "tokenizer": {"window": 2, "overlap": 1}} | decoder,
            "a language model reads 3 tokens or more at once",
        ),
        (
            {"task": {"name": "generate"}, "tokenizer": {"kind": "words"}} | decoder,
            'can\'t write with [tokenizer] kind = "words"',
        ),
    ):
        tree = {"name": "x", "data": {}} | parts
        with pytest.raises(UsageError) as caught:
            check(recipe.from_dict(tree, folder=Path(), where="t"))
        assert said in str(caught.value), caught.value


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (None, 3, b"no such recipe"),
        (b"[train\n", 3, b"not valid TOML"),
        (b"\xff\xfe", 3, b"cannot be read"),
        (b"", 2, b"[task] needs a name"),
    ],
)
def test_invalid_recipe_files_are_refused(
    content: bytes | None,
    code: int,
    said: bytes,
    tmp_path: Path,
    quick_cli: Callable[..., subprocess.CompletedProcess[bytes]],
) -> None:
    if content is not None:
        (tmp_path / "r.toml").write_bytes(content)
    done = quick_cli("train", "r.toml", "-o", "run")
    assert done.returncode == code
    assert said in done.stderr
    assert b"Traceback" not in done.stderr


def test_data_folder_from_the_environment_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there/sets").mkdir(parents=True)
    write_jsonl(tmp_path / "there/sets/a.jsonl", [])
    write_jsonl(tmp_path / "here/b.jsonl", [])
    monkeypatch.setenv("NLPKIT_DATA", str(tmp_path / "there"))
    assert files.resolve("sets/*.jsonl", tmp_path / "here")[0].name == "a.jsonl"
    assert files.resolve("b.jsonl", tmp_path / "here")[0].parent.name == "here"
    with pytest.raises(InputError, match="no such data file"):
        files.resolve("c.jsonl", tmp_path / "here")


def any_value() -> Any:
    return {"a": [1, 2.5, True], "b": 'q"\\n', "c": [{"d": "é"}]}


def test_toml_round_trips() -> None:
    tree = {"name": "x", "section": any_value()}
    assert tomllib.loads(declaration.toml(tree)) == tree
