"""What the README shows can be done, and gives what it says."""

import contextlib
import io
import re
from pathlib import Path

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()


def test_the_example_agrees_and_learns() -> None:
    [code] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})
    check, accuracy = printed.getvalue().splitlines()
    assert check.endswith("agrees")
    [said] = re.findall(r"# (\d+)%$", code, re.MULTILINE)
    assert abs(int(said) - int(re.match(r"\d+", accuracy)[0])) <= 1  # rounding differs from machine to machine
