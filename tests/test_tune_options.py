"""Options of tune: budgets, sizes and fixed values; invalid ones are refused at once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import ROOT, Made
from tune_helpers import recipe_file, tune

from nlpkit import catalog, tasks, text
from nlpkit.errors import NlpkitError, UsageError
from nlpkit.jobs import tune as job
from nlpkit.runtime.bundle import read_bundle


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"metric": "f1"}, "--metric f1: not one of accuracy, macro_f1, ece"),
        ({"arch": ("lsmt",)}, "Did you mean 'lstm'?"),
        ({"fixed": ["train.epoch=3"]}, "Did you mean 'epochs'?"),
        ({"fixed": ["architecture.hidden=3"]}, "no searched architecture has this"),
        ({"fixed": ["architecture.name=bow"]}, "choose architectures with --arch"),
        ({"arch": ("bow",), "fixed": ['tokenizer.kind="bpe"']}, "needs [tokenizer] kind"),
    ],
)
def test_invalid_options_are_refused_before_the_search(
    options: dict[str, Any], said: str, tmp_path: Path, data: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        tune(recipe_file(tmp_path, data), tmp_path / "out", **options)
    assert said in str(caught.value) and not (tmp_path / "out").exists()


def test_foreign_output_folder_is_refused(tmp_path: Path, data: Path) -> None:
    (tmp_path / "out/best").mkdir(parents=True)
    for resume in (False, True):
        with pytest.raises(UsageError, match="files that are not a search"):
            tune(recipe_file(tmp_path, data), tmp_path / "out", resume=resume)


def test_fixed_settings_apply_to_architectures_that_have_them(tmp_path: Path, data: Path) -> None:
    recipe = recipe_file(tmp_path, data, "lstm")
    found = job.branches(recipe, [], ["architecture.embedding=24", "train.lr=0.5"])
    by_name = {branch.name: branch for branch in found}
    assert found[0].name == "lstm" and set(by_name) == set(catalog.names("architectures"))
    assert by_name["atnet"].base.architecture.config.embedding == 24
    for branch in found:
        assert branch.base.train.lr == 0.5
        assert not {"train.lr", "architecture.embedding"} & {knob.key for knob in branch.knobs}
    assert by_name["bow"].base.tokenizer.kind == "char"
    assert "tokenizer.vocab_size" not in {knob.key for knob in by_name["bow"].knobs}


@pytest.mark.parametrize(
    ("text", "number"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1h30m", 5400), ("1.5m", 90)]
)
def test_budget_is_parsed_as_a_time(text: str, number: float) -> None:
    assert job.seconds(text) == number


@pytest.mark.parametrize("text", ["", "30", "0m", "m", "30m1h", "-5m", "1e3s", "5 m"])
def test_invalid_time_is_refused(text: str) -> None:
    with pytest.raises(NlpkitError, match="1h30m"):
        job.seconds(text)


@pytest.mark.parametrize(
    ("text", "number"), [("4M", 4e6), ("500k", 5e5), ("1.5G", 1.5e9), ("2MB", 2e6), ("9", 9)]
)
def test_size_is_parsed_in_bytes(text: str, number: float) -> None:
    assert job.size(text) == number


@pytest.mark.parametrize("text", ["0", "M", "4X", "-1M", "4 M x", "nan"])
def test_invalid_size_is_refused(text: str) -> None:
    with pytest.raises(NlpkitError, match="bytes"):
        job.size(text)


@pytest.mark.parametrize(
    ("precisions", "counted"),
    [(("int4",), "int4"), (("fp32", "int8"), "int8"), (("fp16",), "fp16")],
)
def test_size_is_that_of_the_smallest_file_for_a_cpu(
    tiny_run: Made, precisions: tuple[str, ...], counted: str
) -> None:
    from nlpkit.exporting.precision import estimate
    from nlpkit.training.opened import open_run
    from nlpkit.tuning import corpus

    model = open_run(tiny_run("transformer"), "cpu")[0]
    recipe: Any = SimpleNamespace(export=SimpleNamespace(precisions=precisions))
    assert corpus.size(model, recipe) == estimate(model.run.network, counted)


@pytest.mark.parametrize("name", ["sentiment", "sentiment-lstm", "sentiment-atnet"])
def test_size_estimate_matches_the_bundled_file(name: str) -> None:
    from nlpkit.exporting.precision import estimate
    from nlpkit.training.network import Network

    folder = ROOT / "export" / name
    told = read_bundle(folder).manifest
    settings = {key: value for key, value in told.tree["architecture"].items() if key != "name"}
    module = catalog.load("architectures", told.architecture)
    if "max_length" in module.Config.__dataclass_fields__:
        settings["max_length"] = told.window
    encoder = module.Encoder(module.Config(**settings))
    content = (folder / told.tokenizer_file).read_text(encoding="utf-8")
    tokenizer = text.load(told.tokenizer_kind, content)
    net = Network(encoder, tasks.build(told.task).head(encoder, tokenizer))
    for precision in told.precisions:
        assert 0 < 1 - estimate(net, precision) / told.bytes_of(precision) < 0.01
