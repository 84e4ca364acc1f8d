"""Draws a progress bar for slow commands, on a terminal only and never on standard output."""

import sys
from collections.abc import Callable
from typing import TextIO

_WIDTH = 40


def progress_bar(label: str, total: int, stream: TextIO | None = None) -> Callable[[int], None]:
    """Returns a function that adds an amount to the progress and draws the bar.

    `total` is the amount at the end. The bar is drawn on `stream`, by default standard error. If that is not a
    terminal, only the final state is written, as one line.
    """
    out = stream or sys.stderr
    done, drawn = 0, -1

    def advance(amount: int) -> None:
        nonlocal done, drawn
        done += amount
        percent = 100 if done >= total else done * 100 // total
        if percent != drawn and (out.isatty() or percent == 100):
            filled = percent * _WIDTH // 100
            bar = f"{label} [{'#' * filled}{'.' * (_WIDTH - filled)}] {percent:3} %  {done:,} of {total:,}"
            out.write(f"\r{bar}" if out.isatty() else bar)
            out.write("\n" if percent == 100 else "")
            out.flush()
        drawn = percent

    return advance
