"""Images from their Dockerfile to a running pod: built once, named by content, loaded only as far as they are new."""

import secrets
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from lakehouse_dev.base_images import PYTHON, base_image
from lakehouse_dev.cluster.provider import Provider
from lakehouse_dev.cluster.services import kubectl
from lakehouse_dev.errors import DevError
from lakehouse_dev.image_store import Image
from lakehouse_dev.images import build_image

pytestmark = pytest.mark.e2e

DOCKERFILE = """
ARG BASE
FROM ${BASE}
RUN python3 -c "print('built')" > /built
COPY word /word
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    return tmp_path


@pytest.fixture
def pod_name(cluster: Provider) -> Iterator[str]:
    name = f"reader-{secrets.token_hex(4)}"
    yield name
    kubectl(cluster.kubeconfig, "delete", "pod", name, "--ignore-not-found", "--wait=false")


def build(source: Path, word: str) -> Image:
    (source / "word").write_text(word)
    context = {"word": source / "word"}
    base = {"BASE": base_image(PYTHON).name}
    return build_image("test-word", dockerfile=source / "Dockerfile", context=context, build_args=base)


def test_an_unchanged_context_is_not_built_again(source: Path) -> None:
    first = build(source, "same")
    index = (first.layout / "index.json").read_bytes()

    assert build(source, "same") == first
    assert (first.layout / "index.json").read_bytes() == index


def test_a_changed_file_adds_one_layer_and_shares_the_rest(source: Path) -> None:
    one, two = build(source, "one"), build(source, "two")

    assert one.name != two.name
    assert one.blobs()[2:-1] == two.blobs()[2:-1]
    assert one.blobs()[-1] != two.blobs()[-1]


def test_a_pod_sees_the_new_file_of_an_image_whose_other_layers_the_node_had(
    cluster: Provider, source: Path, pod_name: str
) -> None:
    cluster.load_image(build(source, "one"))
    changed = build(source, "two")

    cluster.load_image(changed)

    command = ["run", pod_name, "--image", changed.name, "--restart=Never", "--", "cat", "/built", "/word"]
    run = partial(kubectl, cluster.kubeconfig)
    run(*command)
    run("wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/{pod_name}", "--timeout=60s")
    assert run("logs", pod_name) == "built\ntwo"


def test_the_output_of_a_failing_step_is_in_the_error(source: Path) -> None:
    (source / "Dockerfile").write_text(DOCKERFILE.replace("print('built')", "raise SystemExit('no such jar')"))

    with pytest.raises(DevError, match="no such jar"):
        build(source, "one")
