"""The locust file: shoppers in a resale shop. ``locust -f loadtests/shop.py --headless --host http://127.0.0.1:PORT``.

What is written where is set by the environment: LOAD_OUT (a folder, default ``load-out``), LOAD_SEED (default 1),
LOAD_WAIT (mean seconds between two actions of a shopper, default 0.5).
"""

from __future__ import annotations

import itertools
import os
import random
import secrets
import sys
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser, events, task
from locust.env import Environment

from loadtests.loopback import NotLoopback, loopback
from loadtests.responses import ResponseLog
from loadtests.shopper import Notebook, Shopper
from loadtests.writes import WriteBook

#: Nobody signs in before anything was looked at; a cart holds so many items at most.
MOST_IN_CART = 4


@events.init.add_listener
def begin(environment: Environment, **_: Any) -> None:
    """Opens the run's files, once; refuses hosts that are not this machine."""
    if environment.host is not None:
        try:
            environment.host = loopback(environment.host)
        except NotLoopback as error:
            print(f"error: {error}", file=sys.stderr)
            raise SystemExit(2) from error
    folder = Path(os.environ.get("LOAD_OUT", "load-out"))
    folder.mkdir(parents=True, exist_ok=True)
    notebook = Notebook(secrets.token_hex(4), ResponseLog(folder), WriteBook(folder))
    ShopUser.notebook = notebook
    ShopUser.seed = int(os.environ.get("LOAD_SEED", "1"))
    ShopUser.mean_wait_seconds = float(os.environ.get("LOAD_WAIT", "0.5"))

    def sync_now_and_then() -> None:
        while True:
            gevent.sleep(1.0)
            notebook.writes.sync()
            notebook.responses.flush()

    syncing = gevent.spawn(sync_now_and_then)

    @environment.events.quit.add_listener
    def end(**_: Any) -> None:
        syncing.kill()
        notebook.responses.close()
        notebook.writes.close()


class ShopUser(FastHttpUser):
    """Mostly looks, sometimes likes, now and then buys."""

    notebook: Notebook
    seed: int
    mean_wait_seconds: float
    numbers = itertools.count(1)
    network_timeout = 20.0
    connection_timeout = 5.0
    max_redirects = 0  # a redirect could lead elsewhere
    concurrency = 1

    def wait_time(self) -> float:
        return self.chance.uniform(0.2, 1.8) * self.mean_wait_seconds

    def on_start(self) -> None:
        number = next(self.numbers)
        self.chance = random.Random(f"{self.seed}-{number}")
        # The first wave comes in over a second, not all in the same millisecond.
        gevent.sleep(self.chance.random())
        self.shopper = Shopper(self.client, self.notebook, number, self.chance)
        self.shopper.look_around()
        self.shopper.browse()

    @task(20)
    def browse(self) -> None:
        self.shopper.browse()

    @task(12)
    def search(self) -> None:
        self.shopper.search()

    @task(40)
    def view(self) -> None:
        self.shopper.view()

    @task(2)
    def look_around(self) -> None:
        self.shopper.look_around()

    @task(10)
    def like(self) -> None:
        self._as_customer()
        self.shopper.like()

    @task(3)
    def favourites(self) -> None:
        self._as_customer()
        self.shopper.favourites()

    @task(1)
    def come_back(self) -> None:
        if self.shopper.logged_in:
            self.shopper.log_in()

    @task(12)
    def put_in_cart(self) -> None:
        self._as_customer()
        if len(self.shopper.cart) < MOST_IN_CART:
            self.shopper.put_in_cart()

    @task(2)
    def take_from_cart(self) -> None:
        self.shopper.take_from_cart()

    @task(8)
    def check_out(self) -> None:
        self.shopper.check_out()

    def _as_customer(self) -> None:
        """Signs up at the first need of an account."""
        if not self.shopper.logged_in:
            self.shopper.sign_up()
            if self.shopper.logged_in:
                self.shopper.add_address()
