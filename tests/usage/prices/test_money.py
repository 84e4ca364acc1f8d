"""Reading amounts: what is one, and what is said of what is not."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage.prices.money import AmountError, amount_nanos, read_usd, to_usd, usd_string


@pytest.mark.parametrize(
    ("value", "nanos"),
    [
        ("0", 0),
        ("12.5", 12_500_000_000),
        ("0.000000001", 1),
        (3, 3_000_000_000),
        (Decimal("1E-7"), 100),
        ("1.10000000000000", 1_100_000_000),
        ("10000000", 10**16),
    ],
)
def test_an_amount_is_read_exactly(value: str | int | Decimal, nanos: int) -> None:
    assert amount_nanos(read_usd(value)) == nanos


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "such as"),
        ("ten", "such as"),
        ("1e5", "such as"),
        ("1_000", "such as"),
        ("١٢", "such as"),
        ("NaN", "such as"),
        (Decimal("1E+400000"), "such as"),
        (Decimal("NaN"), "such as"),
        (float("inf"), "such as"),
        (1.5, "such as"),
        (True, "such as"),
        (None, "such as"),
        ([], "such as"),
        ("9" * 10_000, "such as"),
        ("-0.01", "negative"),
        ("10000000.01", "at most $10,000,000"),
        ("0.0000000001", "9 decimals"),
    ],
)
def test_what_is_no_amount_is_refused_with_a_reason(value: Any, words: str) -> None:
    with pytest.raises(AmountError, match=words.replace("$", r"\$")):
        amount_nanos(read_usd(value))


@pytest.mark.parametrize(
    ("usd", "written"),
    [
        ("0", "0.00"),
        ("12.34", "12.34"),
        ("0.5", "0.50"),
        ("0.00016", "0.000160"),
        ("0.00045", "0.000450"),
        ("0.125", "0.125000"),
        ("0.00000015", "0.000000150"),
        ("10000000", "10000000.00"),
    ],
)
def test_amounts_are_written_as_the_contract_of_the_api_writes_them(usd: str, written: str) -> None:
    assert usd_string(amount_nanos(Decimal(usd))) == written


@given(st.integers(0, 10**16))
def test_every_amount_survives_being_written_and_read(nanos: Any) -> None:
    assert amount_nanos(read_usd(usd_string(nanos))) == amount_nanos(to_usd(nanos)) == nanos


@given(st.one_of(st.text(), st.integers(), st.floats(), st.decimals()))
def test_nothing_but_an_amount_error_comes_of_anything(value: Any) -> None:
    with suppress(AmountError):
        assert 0 <= amount_nanos(read_usd(value)) <= 10**16
