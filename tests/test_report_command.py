"""nlpkit report and nlpkit aspects."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Cli, corpus, write_jsonl
from page_helpers import Tags

Made = Callable[[str], Path]
# Notes, of which pytest makes errors, are printed by the command line.
pytestmark = pytest.mark.filterwarnings("ignore::nlpkit.errors.Note")
HEADER = ["review", "when", "store"]


def rows() -> list[list[str]]:
    found = []
    for number, one in enumerate(corpus(120, 5)):
        month = 1 + number % 3
        store = "Sul <b>" if one["label"] == "negative" else "Norte & Cia"
        found.append([f"{one['text']} comprei ontem, <i>fim</i>", f"05/0{month}/2025", store])
    found[3][1] = "sem data"
    return [*found, ["", "05/01/2025", "Sul <b>"], found[0]]


@pytest.fixture
def reported(quick_cli: Cli, tmp_path: Path, tiny_bundle: Made) -> Cli:
    with (tmp_path / "a.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADER, *rows()])

    def run(*args: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        fixed = ["--model", tiny_bundle("atnet"), "--device", "cpu", "-c", "review"]
        return quick_cli("report", "a.csv", *fixed, *args, stdin=stdin)

    return run


def test_json_counts_rows(reported: Cli) -> None:
    args = ["--date", "when", "--by", "store", "--no-aspects", "--to", "json"]
    done = reported(*args)
    assert done.returncode == 0, done.stderr
    values = json.loads(done.stdout)
    assert (values["read"], values["texts"], values["empty"]) == (122, 122, 1)
    assert values["duplicates"] == 1 and values["sampled"] == 0
    assert sum(one["texts"] for one in values["labels"].values()) == 121
    assert {group["value"] for group in values["groups"]["store"]} == {"Sul <b>", "Norte & Cia"}
    assert values["time"]["periods"][0]["period"] == "2024-12-30"
    assert values["model"]["dev"]["n"] > 0 and values["aspects"] is None
    assert reported(*args).stdout == done.stdout


def test_page_is_whole_and_escaped(reported: Cli, tmp_path: Path) -> None:
    for lang in ("pt", "en"):
        done = reported("--date", "when", "--by", "store", "-o", "r.html", "--ui", lang)
        assert done.returncode == 0, done.stderr
        page = (tmp_path / "r.html").read_text(encoding="utf-8")
        tags = Tags()
        tags.feed(page)
        names = {tag for tag, _ in tags.seen}
        assert not tags.open and names.isdisjoint({"script", "link", "img", "i"})
        assert "Sul &lt;b&gt;" in page and "Norte &amp; Cia" in page
        assert f'<html lang="{ {"pt": "pt-BR"}.get(lang, lang) }">' in page
        for tag, attributes in tags.seen:
            assert not {"src", "href", "onclick"} & attributes.keys()
            if tag == "svg" or attributes.get("role") == "img":
                assert attributes.get("aria-label")
        assert names >= {"h1", "h2", "caption", "th"}


def test_a_sample_is_drawn_and_told(reported: Cli) -> None:
    values = json.loads(reported("--sample", "20", "--no-aspects", "--to", "json").stdout)
    assert (values["read"], values["texts"], values["sampled"]) == (122, 20, 20)


def test_masked_quotes_hide_names(quick_cli: Cli, tmp_path: Path, tiny_bundle: Made) -> None:
    lines = [f"Maria Souza achou o produto péssimo {n}, ligue 11 98765-4321" for n in range(9)]
    (tmp_path / "b.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    args = ["report", "b.txt", "--model", tiny_bundle("atnet"), "--device", "cpu", "--mask"]
    done = quick_cli(*args, "--to", "json")
    quotes = json.dumps(json.loads(done.stdout)["quotes"], ensure_ascii=False)
    aspects = json.dumps(json.loads(done.stdout)["aspects"], ensure_ascii=False)
    assert "[PESSOA]" in quotes
    for text in (quotes, aspects):
        assert "Maria" not in text and "98765" not in text


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["--by", "shop"], 3, b"shop"),
        (["--date", "store"], 2, b"no cell of this column is a date"),
        (["--to", "pdf"], 2, b"not one of html, json, table"),
        (["--ui", "fr"], 2, b"not one of"),
        (["-o", "r.pdf"], 2, b".html or .json"),
    ],
)
def test_wrong_options_are_one_line(
    args: list[str], code: int, said: bytes, reported: Cli, tmp_path: Path
) -> None:
    done = reported("--no-aspects", *args)
    assert done.returncode == code and said in done.stderr and done.stderr.count(b"\n") == 1
    assert not [*tmp_path.glob("r.*")]


def test_nothing_to_report_is_said(quick_cli: Cli, tmp_path: Path, tiny_bundle: Made) -> None:
    (tmp_path / "e.txt").write_text("\n\n", encoding="utf-8")
    done = quick_cli("report", "e.txt", "--model", tiny_bundle("atnet"), "--no-aspects")
    assert done.returncode == 3 and b"no text to report on" in done.stderr


def test_terminal_tables(reported: Cli) -> None:
    shown = reported("--date", "when", "--by", "store", "--no-aspects").stdout.decode()
    for part in ("O que sentem", "Por store", "Norte & Cia", "Ao longo do tempo", "negativo"):
        assert part in shown


def test_a_workbook_reports_the_same(reported: Cli, quick_cli: Cli, tmp_path: Path) -> None:
    assert quick_cli("steps").returncode == 0
    done = quick_cli("clean", "a.csv", "-c", "review", "-o", "a.xlsx", "--into", "clean")
    assert done.returncode == 0, done.stderr
    args = ["--date", "when", "--by", "store", "--no-aspects", "--to", "json"]
    plain = json.loads(reported(*args).stdout)
    book = json.loads(reported(*args, "a.xlsx").stdout)
    assert book["read"] == 2 * plain["read"]
    assert book["time"]["undated"] == 2 * plain["time"]["undated"]


def test_aspects_are_a_filter(quick_cli: Cli) -> None:
    stdin = "O produto é ótimo, mas a entrega atrasou.\n\n".encode()
    done = quick_cli("aspects", "--device", "cpu", stdin=stdin)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == 2 and lines[1]["aspects"] == []
    text = lines[0]["text"]
    found = {one["text"]: one["polarity"] for one in lines[0]["aspects"]}
    assert found["produto"] == "positive" and found["entrega"] == "negative"
    assert all(text[one["start"] : one["end"]] == one["text"] for one in lines[0]["aspects"])


def test_aspects_refuse_another_model(quick_cli: Cli) -> None:
    done = quick_cli("aspects", "--model", "entities-pt", stdin=b"oi\n")
    assert done.returncode == 4 and b"aspects need a model" in done.stderr


def test_a_training_has_a_report(quick_cli: Cli, tmp_path: Path, tiny_run: Made) -> None:
    run = tiny_run("lstm")
    done = quick_cli("report", run, "-o", "r.html")
    assert done.returncode == 0, done.stderr
    tags = Tags()
    tags.feed((tmp_path / "r.html").read_text(encoding="utf-8"))
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert not tags.open and "script" not in {tag for tag, _ in tags.seen}
    for part in ("Curves", "Confusion", "Calibration", "By length", "dev.jsonl", "[architecture]"):
        assert part in page
    values = json.loads(quick_cli("report", run, "--to", "json").stdout)
    assert values["epochs"] == len(values["curves"]) and values["dev"]["macro_f1"] > 0.5
    wrong = [one["answer"] != one["gold"] for one in values["errors"]]
    assert all(wrong) and sum(one["n"] for one in values["lengths"]) == 90
    scores = [one["score"] for one in values["errors"]]
    assert scores == sorted(scores, reverse=True)


def test_an_unfinished_training_is_refused(quick_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/recipe.toml").write_text("name = 'x'\n")
    done = quick_cli("report", "run", "-o", "r.html")
    assert done.returncode == 4 and b"no finished run" in done.stderr
    assert not (tmp_path / "r.html").exists()


def test_compare_writes_a_page(
    quick_cli: Cli, tmp_path: Path, data: Path, tiny_bundle: Made
) -> None:
    models = [tiny_bundle("atnet"), tiny_bundle("lstm")]
    args = ["compare", *models, "--data", data / "test.jsonl", "--rounds", "1", "--html", "c.html"]
    done = quick_cli(*args)
    assert done.returncode == 0, done.stderr
    tags = Tags()
    tags.feed((tmp_path / "c.html").read_text(encoding="utf-8"))
    assert not tags.open and {"table", "svg", "caption"} <= {tag for tag, _ in tags.seen}


def page_of(
    quick_cli: Cli, tmp_path: Path, model: Path, rows: list[dict[str, Any]], *args: str
) -> str:
    """Return the page of a report on rows."""
    write_jsonl(tmp_path / "rows.jsonl", rows)
    fixed = ["report", "rows.jsonl", "--model", model, "--device", "cpu", "-o", "r.html"]
    done = quick_cli(*fixed, *args)
    assert done.returncode == 0, done.stderr or done
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(page)
    assert not tags.open
    return page


@pytest.mark.parametrize("name", ["v", "read", "by", "label", "x{0}{n}"])
def test_values_and_columns_may_have_any_name(
    name: str, quick_cli: Cli, tmp_path: Path, tiny_bundle: Made
) -> None:
    values = ["TV {promo}", "TV {0}", "read", "none", "positive"]
    rows = [one | {name: values[n % 5]} for n, one in enumerate(corpus(60, 3))]
    rows = [{key: row[key] for key in ("text", name)} for row in rows]
    args = ["--by", name, "--no-aspects"]
    page = page_of(quick_cli, tmp_path, tiny_bundle("atnet"), rows, *args)
    for value in values:
        assert f'<th scope="row">{value}</th>' in page
    assert "rótulo" in page and ">negativo<" in page.replace("</span>negativo", ">negativo")


def test_a_period_of_empty_texts_breaks_the_line(
    quick_cli: Cli, tmp_path: Path, tiny_bundle: Made
) -> None:
    rows = [{"text": "", "when": f"2024-01-0{n}"} for n in range(1, 8)]
    rows += [{"text": f"produto ótimo {n}", "when": f"2024-03-{n + 10}"} for n in range(20)]
    page = page_of(quick_cli, tmp_path, tiny_bundle("atnet"), rows, "--date", "when")
    assert "<svg" in page


def test_long_values_are_groups_of_their_own(
    quick_cli: Cli, tmp_path: Path, tiny_bundle: Made
) -> None:
    rows = [{"text": "produto ótimo", "u": "https://x.co/" + "a" * 80 + str(n)} for n in range(25)]
    rows.insert(0, {"text": "sem o campo"})
    write_jsonl(tmp_path / "a.jsonl", rows)
    args = ["report", "a.jsonl", "--by", "u", "--no-aspects", "--model", tiny_bundle("atnet")]
    values = json.loads(quick_cli(*args, "--to", "json").stdout)
    assert len(values["groups"]["u"]) == 20
    assert values["others"]["u"] == {"values": 6, "texts": 6}
    done = quick_cli(*args, "-o", "r.html")
    assert done.returncode == 0
    assert "Outros 6 valores têm 6 textos." in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_the_word_of_a_quote_is_the_mention(quick_cli: Cli, tmp_path: Path) -> None:
    rows = [{"text": f"A telaragna e a tela é ótima, é linda {n}"} for n in range(5)]
    write_jsonl(tmp_path / "a.jsonl", rows)
    values = json.loads(quick_cli("report", "a.jsonl", "--to", "json").stdout)
    quotes = [q for a in values["aspects"] for own in a["quotes"].values() for q in own]
    assert quotes
    for quote in quotes:
        assert re.search(rf"\b{quote['text'][quote['start'] : quote['end']]}\b", quote["text"])
        assert not quote["text"][quote["end"]].isalpha()


def test_an_input_is_never_replaced(reported: Cli, quick_cli: Cli, tmp_path: Path) -> None:
    before = (tmp_path / "a.csv").read_bytes()
    done = reported("--to", "html", "-o", "a.csv")
    assert done.returncode == 2 and b"would be lost" in done.stderr
    done = quick_cli("explain", "a.csv", "-c", "review", "--matrix", "a.csv")
    assert done.returncode == 2 and (tmp_path / "a.csv").read_bytes() == before


@pytest.mark.parametrize("damage", [b'{"event": "epo', b"\xff\xfe\n", b"42\n"])
def test_damaged_curves_are_told(
    damage: bytes, quick_cli: Cli, tmp_path: Path, tiny_run: Made
) -> None:
    shutil.copytree(tiny_run("lstm"), tmp_path / "run")
    with (tmp_path / "run/metrics.jsonl").open("ab") as file:
        file.write(damage)
    done = quick_cli("report", "run", "-o", "r.html")
    assert done.returncode == 4 and b"metrics.jsonl: damaged" in done.stderr
    done = quick_cli("report", "run", "-o", "r.html", "--by", "store")
    assert done.returncode == 2 and b"a training takes no" in done.stderr
