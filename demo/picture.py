"""A picture of what was on the terminal, for the README: ``script -qec "make demo" out.txt`` then this.

python -m demo.picture out.txt docs/pictures/demo.svg --from "strangler status catalog"
"""

from __future__ import annotations

import argparse
import io
import re
from pathlib import Path

from rich.console import Console
from rich.text import Text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("captured", type=Path, help="what `script` wrote")
    parser.add_argument("picture", type=Path, help="the .svg to write")
    parser.add_argument("--from", dest="start", default="", help="begin at the last line that holds these words")
    parser.add_argument("--until", default="", help="end before the next line that holds these words")
    parser.add_argument("--title", default="make demo")
    asked = parser.parse_args()
    # what was drawn while the cursor was hidden is progress, which was wiped out again
    text = re.sub(
        r"\x1b\[\?25l.*?\x1b\[\?25h(\x1b\[1A\x1b\[2K|\r)*", "", asked.captured.read_text(errors="replace"), flags=re.S
    )
    lines = [line.rstrip("\r").split("\r")[-1] for line in text.split("\n")]
    lines = [line for line in lines if not line.startswith(("Script started", "Script done"))]
    begin = max((at for at, line in enumerate(lines) if asked.start in line), default=0)
    end = next((at for at in range(begin + 1, len(lines)) if asked.until and asked.until in lines[at]), len(lines))
    console = Console(record=True, width=100, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi("\n".join(lines[begin:end])))
    asked.picture.parent.mkdir(parents=True, exist_ok=True)
    svg = console.export_svg(title=asked.title)
    # a picture in a repository loads nothing from elsewhere: no web fonts
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL).replace("Fira Code", "DejaVu Sans Mono")
    svg = re.sub(r"<!--.*?-->", "", svg)
    svg = svg.replace("&#160;", " ").replace("<svg ", '<svg xml:space="preserve" ', 1)
    asked.picture.write_text(svg)


if __name__ == "__main__":
    main()
