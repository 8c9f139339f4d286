"""`clean --pseudonyms` and `--restore`: aliases for names, and a key file that turns them back."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from clean_helpers import Finder, cleaned, hidden, named
from conftest import Cli, environment
from hypothesis import assume, given, settings, strategies as st

from nlpkit import zoo
from nlpkit.errors import InputError, Note, UsageError
from nlpkit.language import pseudonyms
from nlpkit.language.patterns import ALIAS, find
from nlpkit.language.pseudonyms import KeyFile, Name
from nlpkit.text.unicode import visible

NAMES = {"João Silva": "PER", "João": "PER", "Ana": "PER", "Rio": "LOC", "Rio SA": "ORG"}
ALIASES = find(ALIAS)


@pytest.fixture
def key(tmp_path: Path) -> str:
    return new_key(tmp_path / "key.json")


def new_key(path: Path) -> str:
    with pytest.warns(Note, match="new key file; it turns aliases back into names"):
        KeyFile(str(path))
    return str(path)


def aliased(text: str, key: str, names: Any = NAMES) -> str:
    (result,) = hidden([text], named(names), pseudonyms=key)
    return result


def restored(text: str, key: str) -> str:
    return cleaned(text, restore=key)


def test_a_name_has_one_alias_and_other_names_have_others(key: str) -> None:
    one = aliased("Ana, de Rio, na Rio SA. Ana", key)
    assert re.fullmatch(
        r"(\[PESSOA-[B-T]{6}\]), de \[LOCAL-[B-T]{6}\], na \[ORGANIZACAO-[B-T]{6}\]\. \1", one
    )
    assert aliased("a Ana", key) == "a " + one[:15]
    assert restored(one, key) == "Ana, de Rio, na Rio SA. Ana"
    assert restored(one.lower(), key) == "Ana, de Rio, na Rio SA. Ana"


def test_case_white_space_and_unicode_form_do_not_count(key: str) -> None:
    forms = ["João Silva", "JOÃO SILVA", "João\n Silva", "Joa\u0303o Silva"]
    found = {
        aliased(form, key, dict.fromkeys([*forms, visible(forms[3])], "PER")) for form in forms
    }
    assert len(found) == 1
    assert restored(found.pop(), key) == "João Silva"


def test_a_short_mention_is_the_only_longer_one_that_has_its_words(key: str) -> None:
    names = dict.fromkeys(
        ["João", "Silva", "João Silva", "João da Silva", "João Souza", "Ana", "Rio"], "PER"
    )

    def same(text: str) -> bool:
        return len(set(ALIASES.findall(aliased(text, key, names)))) == 1

    assert same("João e João Silva") and same("JOÃO SILVA, Silva".title())
    assert same("João; João Silva; João da Silva")  # João Silva is João da Silva, so João is too
    assert not same("João e Ana") and not same("Silva e João Souza")
    three = aliased("João, João Silva, João Souza", key, names)
    assert len(set(ALIASES.findall(three))) == 3  # it may be either
    alone, after = (ALIASES.findall(aliased(text, key, names)) for text in ("João", "João Souza"))
    assert alone != after  # documents are looked at one by one
    places = {"Rio": "LOC", "Rio Claro": "LOC"}
    assert len(set(ALIASES.findall(aliased("Rio, Rio Claro", key, places)))) == 2


def test_aliases_are_kept_by_all_options_and_by_another_run(key: str) -> None:
    model = named(NAMES)
    once = hidden(["Ana foi ao Rio; JOÃO não!"], model, "bow", pseudonyms=key, accents="strip")
    assert hidden(once, model, "bow", pseudonyms=key, accents="strip") == once
    assert re.fullmatch(r"\[PESSOA-\w+\] foi ao \[LOCAL-\w+\] joao nao", once[0])
    other = new_key(Path(key).with_name("other.json"))
    assert hidden(once, model, pseudonyms=other) == once
    assert restored(once[0], other) == once[0]  # an alias of another key stays
    assert cleaned(once[0], "bow", restore=key) == "ana foi ao rio joao nao"


def test_the_key_file_is_for_its_owner_and_decides_the_aliases(tmp_path: Path) -> None:
    keys = [new_key(tmp_path / f"{n}.json") for n in range(2)]
    assert stat.S_IMODE(Path(keys[0]).stat().st_mode) == 0o600
    assert aliased("Ana", keys[0]) != aliased("Ana", keys[1])
    tree = json.loads(Path(keys[0]).read_text())
    assert len(bytes.fromhex(tree["key"])) == 32 and tree["version"] == 1
    # The same key gives the same aliases, also without the names that it gave before.
    again = tmp_path / "again.json"
    again.write_text(json.dumps(tree | {"aliases": {}}))
    assert aliased("Rio, Ana", str(again)) == aliased("Rio, Ana", keys[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.json", "1.json", "again.json"]
    Path(keys[0]).chmod(0o640)  # for a group that shares the file
    aliased("João", keys[0])
    assert stat.S_IMODE(Path(keys[0]).stat().st_mode) == 0o640


def test_a_link_to_a_key_file_stays_a_link(tmp_path: Path, key: str) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(key)
    assert aliased("Ana", str(link)) == aliased("Ana", key)
    assert link.is_symlink()


def test_aliases_never_collide(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pseudonyms.hmac, "digest", lambda *args: b"\0" * 32)
    assert aliased("Ana e João", key) == "[PESSOA-BBBBBB] e [PESSOA-BBBBBBB]"
    names = {"Rui": "PER", "Eva": "PER"}
    text = "[pessoa-bbbbbbbb] Rui Eva"  # has the next alias already
    assert aliased(text, key, names) == "[pessoa-bbbbbbbb] [PESSOA-BBBBBBBBB] [PESSOA-BBBBBBBBBB]"
    assert restored(aliased(text, key, names), key) == text


LETTER = st.characters(exclude_characters="@[]", exclude_categories=("Nd", "Cc"))
WORDS = st.text(LETTER, min_size=1, max_size=5)
NAME = st.lists(WORDS, min_size=1, max_size=3).map(lambda words: " ".join(" ".join(words).split()))
TYPES = st.sampled_from(["PER", "LOC", "ORG"])


@settings(max_examples=100)
@given(
    types=st.dictionaries(NAME, TYPES, max_size=4),
    texts=st.lists(st.lists(st.tuples(WORDS, st.integers(0, 3)), max_size=6), max_size=3),
)
def test_names_come_back(
    types: dict[str, str], texts: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    forms = [pseudonyms.folded(name) for name in types]
    words = [set(form.split()) for form in forms]
    assume(all(words) and len(set(forms)) == len(forms))
    # Short mentions come back as the full name.
    assume(not any(a < b for a in words for b in words))
    names, built, spans = list(types), [], {}
    for parts in texts:
        text, found = "", []
        for word, number in parts:
            text += word
            if number < len(names):
                name = names[number]
                found.append((len(text), len(text) + len(name), types[name]))
                text += name
        assume(visible(text) == text and cleaned(text, mask=True) == text)
        built.append(text)
        spans[text] = found
    key = new_key(tmp_path_factory.mktemp("keys") / "key.json")
    masked = hidden(built, Finder(lambda text: spans.get(text, [])), pseudonyms=key)
    assert [len(ALIASES.findall(text)) for text in masked] == [len(spans[text]) for text in built]
    assert [restored(text, key) for text in masked] == built


WORKER = """
import sys
from clean_helpers import hidden, named
number, key = int(sys.argv[1]), sys.argv[2]
for start in range(0, 40, 4):
    names = [f"Ana{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(start, start + 8)]
    names = names[number:] + names[:number]
    for name in names:
        print(name, *hidden([name], named(dict.fromkeys(names, "PER")), pseudonyms=key))
"""


def test_processes_share_a_key_file(tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    env = environment()
    env["PYTHONPATH"] += os.pathsep + str(Path(__file__).parent)
    command = [sys.executable, "-W", "ignore", "-c", WORKER]
    running = [
        subprocess.Popen([*command, str(n), str(key)], stdout=subprocess.PIPE, env=env, text=True)
        for n in range(3)
    ]
    lines = [set(process.communicate()[0].splitlines()) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    assert lines[0] == lines[1] == lines[2] and len(lines[0]) == 44
    names = json.loads(key.read_text())["aliases"]
    assert {f"{name} [{alias}]" for alias, name in names.items()} == lines[0]
    assert [path.name for path in tmp_path.iterdir()] == ["key.json"]


def test_a_full_disk_leaves_the_key_file_as_it_was(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    aliased("Ana", key)
    before = Path(key).read_bytes()

    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(UsageError, match="key.json: No space left on device"):
            aliased("Rio", key)
    assert Path(key).read_bytes() == before
    assert [path.name for path in Path(key).parent.iterdir()] == ["key.json"]


BAD_ALIASES = ("3", '{"A": 1}', '{"foo": "bar"}', '{"PESSOA-SHCGHP": ""}')


@pytest.mark.parametrize(
    "content",
    ["x", "[]", "{}", '{"version": 1, "key": "00", "aliases": {}}', "[" * 100_000, "\x00\xff"]
    + [f'{{"version": 1, "key": "{"00" * 32}", "aliases": {bad}}}' for bad in BAD_ALIASES],
)
def test_another_file_is_no_key_file(content: str, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content.encode("latin-1"))
    for use in (KeyFile, pseudonyms.restoring):
        with pytest.raises(InputError, match=r"notes\.txt: not a key file; name one that"):
            use(str(path))
    assert path.read_bytes() == content.encode("latin-1")


def test_what_cannot_be_a_key_file(tmp_path: Path, key: str) -> None:
    for path in (tmp_path, "/dev/null"):
        with pytest.raises(UsageError, match="not a regular file"):
            KeyFile(str(path))
    for path in (tmp_path / "no/key.json", "a\0b"):
        with pytest.raises(UsageError, match="name a key file that you may read and write"):
            KeyFile(str(path))
    with pytest.raises(UsageError, match="--restore .*No such file"):
        pseudonyms.restoring(str(tmp_path / "none.json"))
    newer = json.loads(Path(key).read_text()) | {"version": 2}
    Path(key).write_text(json.dumps(newer))
    with pytest.raises(InputError, match="of another version; update nlpkit"):
        KeyFile(key)


def test_a_key_file_may_not_change_under_a_job(tmp_path: Path, key: str) -> None:
    keys = KeyFile(key)
    Path(new_key(tmp_path / "other.json")).replace(key)
    with pytest.raises(InputError, match="replaced by another key file"):
        keys.aliases([Name("PESSOA", "Ana")])
    Path(key).unlink()
    with pytest.raises(UsageError, match="No such file"):
        keys.aliases([Name("PESSOA", "Ana")])


def test_the_command_hides_and_restores(
    quick_cli: Cli, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zoo, "load", named(NAMES))
    text = "Ana foi ao Rio, CPF 529.982.247-25\n\nAna\n"
    flags = ["--mask", "--entities", "PER,LOC", "--pseudonyms", "key.json"]
    masked = quick_cli("clean", *flags, stdin=text.encode()).stdout
    assert b"Ana" not in masked and b"Rio" not in masked
    back = quick_cli("clean", "--restore", "key.json", stdin=masked).stdout.decode()
    assert back == text.replace("529.982.247-25", "[CPF]")
    refused = quick_cli("clean", "--restore", "no.json", stdin=masked)
    assert (refused.returncode, refused.stdout) == (2, b"")
