"""Following a long action: a bar with rate and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from strangler.cli import phrase
from strangler.cli.failure import Answered
from strangler.cli.screen import Screen


class Follower:
    """Shows the events of a long action and gives its result."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._tasks: dict[str, TaskID] = {}
        self._name_width = 18
        self._failed = False
        self._bars = Progress(
            TextColumn("  {task.description:<18}"),
            BarColumn(20),
            TextColumn("{task.fields[rows]:>14}  {task.fields[rate]:<16}  {task.fields[left]}"),
            console=screen.out,
            transient=True,
            disable=not screen.live,
        )

    def follow(self, events: Iterable[dict[str, Any]]) -> dict[str, Any]:
        """The last event. Errors come as exceptions from ``events``."""
        last: dict[str, Any] = {}
        with self._bars, self._told_already():
            for event in events:
                last = event
                match event["event"]:
                    case "begin":
                        budget = f"     hold budget {event['hold_budget_ms']:,} ms" if "hold_budget_ms" in event else ""
                        name = event["journal"].split("-", 3)[-1]
                        self._screen.line(f"{name}: {event['from']} -> {event['to']}{budget}")
                    case "resumed":
                        rows, began = event["rows"], phrase.clock(event["began_at"])
                        self._screen.line(f"going on with the comparison of {began}: {rows:,} rows are done")
                    case "progress":
                        self._progress(event)
                    case "done":
                        self._clear()
                        self._step("✓", event["name"], event["text"], f"{event['ms']:,.0f} ms")
                    case "failed":
                        self._failed = True
                        self._clear()
                        self._step("✗", event["name"], event["text"], "")
                    case "undone":
                        self._screen.line(f"undone: {event['text']}")
        return last

    @contextmanager
    def _told_already(self) -> Iterator[None]:
        """An error that a step has shown isn't said twice: what is left to say is where things stand."""
        try:
            yield
        except Answered as failed:
            if self._failed and "from" in failed.answer:
                name, phase = failed.answer["capability"], failed.answer["from"]
                raise Answered({**failed.answer, "shown": f"not done: {name} is in {phase} as before"}) from failed
            raise

    def _step(self, mark: str, name: str, text: str, took: str) -> None:
        line = f"  {mark} {name:<{self._name_width}}  {text}"
        room = min(self._screen.out.width, 110) - len(took)
        self._screen.line(f"{line:<{max(room - 1, len(line) + 2)}} {took}".rstrip())

    def _progress(self, event: dict[str, Any]) -> None:
        name = event.get("table") or event.get("state") or event["step"]
        rows, expected = event.get("rows"), event.get("rows_expected")
        rate, left = event.get("rows_per_second"), event.get("seconds_left")
        task = self._tasks.get(name)
        if task is None:
            task = self._tasks[name] = self._bars.add_task(name, rows="", rate="", left="")
        self._bars.update(
            task,
            total=expected or None,
            completed=rows or 0,
            rows=f"{rows:,} rows" if rows is not None else _lag(event),
            rate=f"{rate:,.0f} rows/s" if rate else "",
            left=event.get("waiting") or (f"{phrase.duration(left)} left" if left else ""),
        )

    def _clear(self) -> None:
        for task in self._tasks.values():
            self._bars.remove_task(task)
        self._tasks.clear()


def _lag(event: dict[str, Any]) -> str:
    return f"lag {phrase.lag(event['lag_seconds'])}" if "lag_seconds" in event else ""
