"""Every line of the page on bad input is what a test of the source shows, reason and all."""

import ast
import re

import pytest

from lakehouse_dev import paths

PAGE = paths.REPOSITORY / "docs" / "reference" / "bad-input.md"
ROW = re.compile(r"^\| ([^|]+) \| (run|row|taken) \| (?:`(\w+)`)? ?\|", re.MULTILINE)
SPARK = "tests/spark/test_"
REST, KAFKA, FILES = f"{SPARK}rest_source.py", f"{SPARK}kafka_faults.py", f"{SPARK}ingest_input.py"
MIDDLE = (REST, "test_what_goes_wrong_in_the_middle_costs_an_attempt_with_its_reason_but_no_record")
TOKEN = (
    REST,
    "test_a_token_that_expires_in_the_middle_is_renewed_and_if_there_is_no_other_the_next_attempt_has_one",
)

SHOWN_BY = {
    "The schema registry is down": (
        f"{SPARK}kafka_avro.py",
        "test_a_registry_that_is_down_or_none_is_asked_again",
    ),
    "An OAuth token expires in mid-run": TOKEN,
    "The API takes no token any more": TOKEN,
    "A page comes a second time": MIDDLE,
    "The server closes halfway": MIDDLE,
    "The API answers 500": MIDDLE,
    "A storm of 429": MIDDLE,
    "A page with something behind its JSON": MIDDLE,
    "A line or message with something behind its JSON": (
        FILES,
        "test_json_records_keep_their_types_and_null_is_judged_by_the_contract",
    ),
    "A JSON file with something behind its array": (FILES, "test_a_file_of_the_wrong_format_is_refused_by_name"),
    "Invalid UTF-8": (FILES, "test_a_record_that_was_cut_off_and_bytes_that_are_no_text_are_quarantined"),
    "A number beyond the range of its column": (
        FILES,
        "test_valid_values_that_the_table_cannot_hold_are_quarantined_never_rounded",
    ),
    "A topic that was deleted": (KAFKA, "test_a_topic_deleted_while_it_is_read_fails_the_run_in_time"),
    "A topic that was deleted and created anew": (
        KAFKA,
        "test_a_topic_created_anew_stops_the_pipeline_until_a_person_accepts_it",
    ),
    "Offsets that aged out unread": (
        KAFKA,
        "test_messages_that_aged_out_unread_stop_the_pipeline_until_a_person_accepts_it",
    ),
    "A source's table that was dropped": (f"{SPARK}jdbc_source.py", "test_each_fault_has_its_reason"),
    "The target's table dropped between two slots": (
        f"{SPARK}ingest_once.py",
        "test_a_dropped_table_whose_plans_remain_is_a_lost_watermark",
    ),
    "Two pipelines to one target with different contracts": (
        "tests/apiserver/test_operator.py",
        "test_of_two_pipelines_that_fill_a_table_under_two_contracts_the_younger_one_starts_once_the_older_is_gone",
    ),
    "A table of other columns than the contract's": (
        FILES,
        "test_a_table_with_other_columns_is_a_mismatch_that_names_them",
    ),
    "A table that another writer changes meanwhile": (
        f"{SPARK}commit_conflict.py",
        "test_a_table_that_another_writer_changes_meanwhile_costs_an_attempt_and_no_change",
    ),
    "A primary key that is null": (
        f"{SPARK}targets_merge.py",
        "test_rows_without_a_key_or_a_place_in_the_sequence_are_refused_with_their_reason",
    ),
    "A merge key that comes twice": (
        f"{SPARK}targets_merge.py",
        "test_the_newest_change_of_a_key_counts_and_a_deletion_leaves_a_tombstone",
    ),
    "A key twice where an expectation wants it once": (
        f"{SPARK}expectations.py",
        "test_rows_that_violate_an_expectation_go_to_quarantine_as_they_came",
    ),
    "A clock behind ours, or a record dated in the future": (
        REST,
        "test_a_clock_behind_ours_and_a_record_dated_in_the_future_hide_no_other",
    ),
    "A clock ahead of ours": (REST, "test_a_record_of_a_clock_ahead_of_ours_is_read_once_when_our_clock_is_there"),
    "A record of 10 MB": (REST, "test_a_record_of_10_mb_goes_through_and_is_judged_like_any_other"),
    "A page of more than 64 MiB": (
        "tests/unit/jobs/test_rest_client.py",
        "test_a_page_beyond_the_memory_of_a_driver_is_refused",
    ),
    "A CSV file with 5,000 columns": (FILES, "test_a_file_with_5_000_columns_is_read"),
    "A compressed file that was cut off or spoilt": (
        FILES,
        "test_a_compressed_file_that_was_cut_off_or_spoilt_is_refused_by_name_and_can_be_replaced",
    ),
}
ROWS = {name: reason for name, _, reason in ROW.findall(PAGE.read_text())}


def test_the_lines_of_the_page_are_those_that_tests_show() -> None:
    assert ROWS.keys() == SHOWN_BY.keys()


@pytest.mark.parametrize(("line", "place"), SHOWN_BY.items(), ids=SHOWN_BY)
def test_the_test_that_shows_a_line_is_there_and_speaks_of_its_reason(line: str, place: tuple[str, str]) -> None:
    file, name = place
    text = (paths.REPOSITORY / file).read_text()
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)

    assert name in {node.name for node in ast.parse(text).body if isinstance(node, functions)}
    assert f'"{ROWS[line]}"' in text or not ROWS[line]
