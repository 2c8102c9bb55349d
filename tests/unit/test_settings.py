"""Options and settings: what is wrong is named, with its value and what to do."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from lakehouse_operator.settings import SettingsError, parse_options, read_config

MINIMUM: dict[str, Any] = {"lake": {"uri": "s3://lake"}, "spark": {"image": "lakehouse-spark:1"}}


def written(directory: Path, document: Any) -> Path:
    file = directory / "settings.yaml"
    file.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    return file


def test_the_smallest_document_is_enough(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, MINIMUM))

    assert config.max_active_runs.operator == 200


@pytest.mark.parametrize(
    ("document", "said"),
    [
        pytest.param({"spark": MINIMUM["spark"]}, "lake is missing; add it", id="a missing section"),
        pytest.param({**MINIMUM, "lakes": {}}, "lakes is not a setting; check its spelling", id="a typo"),
        pytest.param({**MINIMUM, "lake": {"uri": "/tmp"}}, "lake.uri is '/tmp'", id="a value that does not fit"),
        pytest.param(
            {**MINIMUM, "maxActiveRuns": {"operator": 0}}, "maxActiveRuns.operator is 0", id="a number out of range"
        ),
        pytest.param({**MINIMUM, "resyncInterval": "0s"}, "resyncInterval is '0s'", id="an interval that never rests"),
        pytest.param("lake: [", "is not YAML", id="no YAML"),
        pytest.param("just text", "must be a YAML mapping", id="no mapping"),
        pytest.param("", "must be a YAML mapping", id="nothing"),
    ],
)
def test_a_wrong_document_says_what_is_wrong(tmp_path: Path, document: Any, said: str) -> None:
    file = written(tmp_path, document)

    with pytest.raises(SettingsError) as error:
        read_config(file)

    assert said in str(error.value)
    assert str(file) in str(error.value)


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        read_config(written(tmp_path, {"lake": {"uri": 7}, "typo": 1}))

    assert {"lake.uri", "typo", "spark"} <= set(str(error.value).replace(";", " ").split())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.yaml cannot be read"):
        read_config(tmp_path / "none.yaml")


def test_options_come_from_the_command_line_and_from_the_environment() -> None:
    environment = {"LAKEHOUSE_SETTINGS": "/etc/settings.yaml", "LAKEHOUSE_PORT": "9090", "LAKEHOUSE_WORKERS": "4"}

    options = parse_options(["--port=9191", "--namespaces=a, b"], environment)

    assert (options.settings, options.port, options.workers) == (Path("/etc/settings.yaml"), 9191, 4)
    assert options.namespaces == ("a", "b")


def test_a_star_is_all_namespaces() -> None:
    assert parse_options(["--settings=x", "--namespaces=*"], {}).namespaces == ()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param([], "--settings (or LAKEHOUSE_SETTINGS) must name", id="no settings"),
        pytest.param(["--settings=x", "--port=high"], "--port 'high' is not a number", id="a port that is no number"),
        pytest.param(["--settings=x", "--workers=0"], "--workers '0' is not a number from 1", id="no workers"),
        pytest.param(["--settings=x", "--log-level=LOUD"], "--log-level 'LOUD'", id="an unknown level"),
        pytest.param(["--settings=x", "--namespaces=,"], "--namespaces is empty", id="no namespace"),
    ],
)
def test_a_wrong_option_ends_with_code_2_and_says_which(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_options(arguments, {})

    assert ended.value.code == 2
    assert said in capsys.readouterr().err
