"""Files of prompts, good and bad."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.demo_prompts import PromptsFileError
from serving.labelling.prompts import PromptToLabel, read_prompts_to_label


def write(tmp_path: Path, name: str, content: str) -> Path:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8", newline="")
    return path


def test_text_has_a_prompt_a_line(tmp_path: Path) -> None:
    prompts, repeated = read_prompts_to_label(write(tmp_path, "p.txt", "one\n\n two \r\none\n"))
    assert [each.prompt for each in prompts] == ["one", "two"]
    assert repeated == 1


def test_json_lines_keep_what_is_known_of_a_prompt(tmp_path: Path) -> None:
    chat = [{"role": "user", "content": "hi"}]
    rows = [
        {"prompt": "a", "id": 7, "source": "s", "language": "en", "domain": "d", "other": 1},
        {"messages": chat, "prompt_id": "x"},
    ]
    content = "".join(f"{json.dumps(row)}\n" for row in rows)
    (one, two), _ = read_prompts_to_label(write(tmp_path, "p.jsonl", content))
    assert (one.id, one.about) == ("7", {"source": "s", "language": "en", "domain": "d"})
    assert (two.id, two.messages) == ("x", chat)


def test_csv_has_a_column_of_prompts(tmp_path: Path) -> None:
    content = 'id,prompt,language\n1,"two\nlines, ""quoted""",de\n,plain,\n'
    (one, two), _ = read_prompts_to_label(write(tmp_path, "p.csv", content))
    assert (one.prompt, one.id, one.about) == ('two\nlines, "quoted"', "1", {"language": "de"})
    assert (two.prompt, two.id, two.about) == ("plain", two.digest[:16], {})


def test_the_limit_counts_different_prompts(tmp_path: Path) -> None:
    prompts, _ = read_prompts_to_label(write(tmp_path, "p.txt", "a\na\nb\nc\n"), limit=2)
    assert [each.prompt for each in prompts] == ["a", "b"]


def test_lone_surrogates_become_sendable(tmp_path: Path) -> None:
    (one,), _ = read_prompts_to_label(write(tmp_path, "p.jsonl", '{"prompt": "a\\ud800b"}\n'))
    assert one.prompt == "a?b"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("p.txt", "", "p.txt: holds no prompt"),
        ("p.jsonl", "\n\n", "p.jsonl: holds no prompt"),
        ("p.jsonl", '{"prompt": "a"}\n{"promp', "line 2: not JSON"),
        ("p.jsonl", '{"prompt": "a"}\n[1]\n', "line 2: must be an object with either"),
        ("p.jsonl", '{"prompt": 3}\n', "line 1: 'prompt' must be a string"),
        ("p.jsonl", '{"prompt": " "}\n', "line 1: the prompt is empty"),
        ("p.jsonl", '{"messages": []}\n', "line 1: "),
        ("p.jsonl", '{"prompt": "a", "messages": []}\n', "line 1: must be an object with either"),
        (
            "p.jsonl",
            '{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}',
            "line 1: a part of type 'image_url': only text",
        ),
        ("p.txt", "x" * 200_001, "line 1: a prompt of 200,001 characters: at most 200,000"),
        ("p.csv", "id,text\n1,a\n", "line 1: no column 'prompt' among .'id', 'text'."),
        ("p.csv", "", "line 1: no column 'prompt'"),
        ("p.csv", "prompt,id\na\n", "line 2: has not as many fields as the header"),
        ("p.csv", "prompt\na,b\n", "line 2: has not as many fields as the header"),
        ("p.csv", 'prompt\n"a\nb', "not CSV: unexpected end of data"),
        ("p.csv", "prompt\n", "holds no prompt"),
    ],
    ids=range(16),
)
def test_bad_files_are_told_with_their_line(tmp_path: Path, name: str, content: str, told: str) -> None:
    with pytest.raises(PromptsFileError, match=told):
        read_prompts_to_label(write(tmp_path, name, content))


def test_a_missing_file_a_folder_and_other_bytes_are_told(tmp_path: Path) -> None:
    with pytest.raises(PromptsFileError, match="cannot be read: No such file"):
        read_prompts_to_label(tmp_path / "none.txt")
    with pytest.raises(PromptsFileError, match="cannot be read: Is a directory"):
        read_prompts_to_label(tmp_path)
    (tmp_path / "p.txt").write_bytes(b"caf\xe9")
    with pytest.raises(PromptsFileError, match="not UTF-8 at byte 3"):
        read_prompts_to_label(tmp_path / "p.txt")


@given(st.text(st.characters()), st.text(st.characters()))
def test_a_digest_tells_prompts_apart(one: str, other: str) -> None:
    a, b = PromptToLabel.of(one), PromptToLabel.of(other)
    assert (a.digest == b.digest) == (a.prompt == b.prompt)


def test_a_text_and_a_conversation_of_it_are_two_prompts() -> None:
    assert PromptToLabel.of("a").digest != PromptToLabel.of([{"role": "user", "content": "a"}]).digest
