"""`manage.py check_prices`: what it compares, and what it prints where."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from genai_prices.data_snapshot import get_snapshot

from usage.prices import checks

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HEAD = "vendor,model,tier,kind,list_usd_per_million,litellm_usd_per_million"


@pytest.fixture(autouse=True)
def at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[list[str], str]]:
    """`check({…})`: the lines on standard output, and what standard error says, for a price file with that content."""

    def run(content: object | None = None) -> tuple[list[str], str]:
        path = tmp_path / "prices.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        call_command("check_prices", *([] if content is None else ["--litellm", str(path)]))
        said = capsys.readouterr()
        return said.out.splitlines(), said.err

    return run


def row(provider: str, usd: float, **more: object) -> dict[str, object]:
    return {
        "litellm_provider": provider, "mode": "chat", "max_tokens": 8192, "input_cost_per_token": usd / 1_000_000
    } | more  # fmt: skip


def test_what_agrees_is_not_printed(check: Callable[..., tuple[list[str], str]]) -> None:
    lines, said = check(
        {
            "sample_spec": {"input_cost_per_token": 0.0},
            "gpt-4o-mini": row("openai", 0.15, output_cost_per_token=0.0000006),
            "azure/gpt-4o-mini": row("azure", 0.15),
            "gpt-5": row("openai", 1.25, input_cost_per_token_flex=0.000000625),
        }
    )
    assert lines == [HEAD]
    assert said.endswith(": 3 models compared, 0 differ.\n")


def test_each_price_that_differs_is_a_line(check: Callable[..., tuple[list[str], str]]) -> None:
    wrong: dict[str, Any] = {"cache_read_input_token_cost": 0.0000001, "output_cost_per_token": 0.0000006}
    tiers: dict[str, Any] = {"input_cost_per_token_flex": 0.000001, "input_cost_per_token_priority": 0.0000025}
    lines, said = check({"gpt-4o-mini": row("openai", 0.25, **wrong), "gpt-5": row("openai", 1.25, **tiers)})
    assert lines == [
        HEAD,
        "openai,gpt-4o-mini,,input,0.15,0.25",
        "openai,gpt-4o-mini,,cached,0.075,0.1",
        "openai,gpt-5,flex,input,0.625,1",
    ]
    assert said.startswith("genai-prices ")
    assert said.endswith(": 2 models compared, 2 differ.\n")


@pytest.mark.parametrize(
    "content",
    [
        {"house": row("openai", 1)},
        {"ollama/llama3": row("ollama", 1)},
        {"whisper-1": {"litellm_provider": "openai", "input_cost_per_second": 0.0001}},
        {
            "gpt-4o-mini": "text",
            "gpt-4o": {"input_cost_per_token": True},
            "gpt-5": {"input_cost_per_token": "1"},
        },
        {"gpt-4o": {"input_cost_per_token": None, "litellm_provider": 7}},
    ],
)
def test_what_one_side_does_not_know_is_left_out(
    check: Callable[..., tuple[list[str], str]],
    content: dict[str, dict[str, object]] | dict[str, dict[str, Any]] | dict[str, Any],
) -> None:
    lines, said = check(content)
    assert lines == [HEAD]
    assert ": 0 models compared" in said


@pytest.mark.parametrize("content", ["", "{", "[1]", "7", "[" * 100_000])
def test_what_is_no_price_file_is_refused(check: Callable[..., tuple[list[str], str]], content: str) -> None:
    with pytest.raises(CommandError, match=r"prices\.json is not"):
        check(content)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("check_prices", "--litellm", str(tmp_path / "none.json"))


@pytest.fixture
def small_list(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A list of one vendor with few models, so that all of them are compared in no time."""
    snapshot = deepcopy(get_snapshot())
    snapshot.providers = [one for one in snapshot.providers if one.id == "deepseek"]
    monkeypatch.setattr(checks, "get_snapshot", lambda: snapshot)
    return snapshot


def test_without_a_file_costs_are_compared_with_the_lists_own_calculator(
    check: Callable[..., tuple[list[str], str]], small_list: Any
) -> None:
    lines, said = check()
    assert lines == ["vendor,model,tier,tokens,ours_nanos,theirs_nanos"]
    assert f": {len(small_list.providers[0].models)} models compared, 0 differ." in said


def test_a_cost_that_differs_is_printed_and_fails(
    small_list: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(checks, "steps_of", lambda _prices: ())
    small_list.providers[0].models = [small_list.providers[0].find_model("deepseek-reasoner")]
    with pytest.raises(CommandError, match="calculator"):
        call_command("check_prices")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 8
    assert lines[1].startswith("deepseek,deepseek-reasoner,,input,0,")
