from strangler.dev.deaths import Deaths, deaths

LOG = """\
2026-11-23 10:00:00,001 INFO supervisord started with pid 10
2026-11-23 10:00:01,001 WARN exited: old (exit status 1; not expected)
2026-11-23 11:00:00,001 INFO supervisord started with pid 20
2026-11-23 11:00:01,001 INFO spawned: 'shop' with pid 21
2026-11-23 11:00:05,120 WARN exited: shop (terminated by SIGKILL; not expected)
2026-11-23 11:00:09,300 WARN exited: shop (exit status 3; not expected)
2026-11-23 11:00:10,300 INFO exited: worker (exit status 0; expected)
"""


def test_the_last_one_counts_and_only_since_the_last_start() -> None:
    assert deaths(LOG) == {"shop": Deaths(2, "2026-11-23 11:00:09", "exit status 3")}


def test_an_empty_log() -> None:
    assert deaths("") == {}
