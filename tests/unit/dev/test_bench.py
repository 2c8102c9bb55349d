"""What benchmarks measured becomes a table, ours beside the peer."""

from lakehouse_dev.bench import names, table


def test_every_benchmark_is_found_and_what_only_helps_is_not() -> None:
    found = names()

    assert {"launch", "burst", "cold-start", "image-size"} <= set(found)
    assert "driver-watch" not in found


def test_a_result_without_a_peer_has_no_ratio() -> None:
    result = {"bench": "burst", "ours": 48.0, "peer": None, "ratio": None, "unit": "launches/s", "detail": {}}

    assert table([result]).splitlines()[-1] == "| 500 pipelines created at once | 48.0 launches/s | |  |"


def test_steps_are_told_as_the_time_until_each_was_done() -> None:
    detail = {
        "ours": {"steps": {"session": 3.0, "first commit": 2.0, "open and count": 1.0}},
        "peer": {"steps": {"session": 8.0, "first commit": 4.0, "open and count": 3.0}},
    }
    result = {"bench": "cold-start", "ours": 6.0, "peer": 15.0, "ratio": 0.4, "unit": "s", "detail": detail}

    rows = table([result]).splitlines()[2:]

    assert rows[0].endswith("| 6.0 s | 15.0 s | 0.4 |")
    assert rows[1:] == [
        "| ... until session | 3.0 s | 8.0 s | 0.375 |",
        "| ... until first commit | 5.0 s | 12.0 s | 0.417 |",
    ]
