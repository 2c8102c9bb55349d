"""Finding the API server, and telling clearly why it cannot be found."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from lakehouse_operator.kube.access import Access, AccessError, Bearer, find_access, read_kubeconfig


def kubeconfig(directory: Path, **changes: Any) -> Path:
    document = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "near", "user": "me"}}],
        "clusters": [{"name": "near", "cluster": {"server": "https://127.0.0.1:6443/", **changes.pop("cluster", {})}}],
        "users": [{"name": "me", "user": changes.pop("user", {"token": "t0ken"})}],
        **changes,
    }
    file = directory / "config"
    file.write_text(yaml.safe_dump(document))
    return file


def test_a_kubeconfig_gives_server_and_token(tmp_path: Path) -> None:
    access = read_kubeconfig(kubeconfig(tmp_path))

    assert (access.server, access.bearer()) == ("https://127.0.0.1:6443", "t0ken")


def test_documents_in_the_file_and_beside_it_are_read(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("authority")
    data = base64.b64encode(b"certificate").decode()
    access = read_kubeconfig(
        kubeconfig(tmp_path, cluster={"certificate-authority": "ca.crt"}, user={"client-certificate-data": data})
    )

    assert (access.authority, access.certificate) == ("authority", "certificate")


def test_a_token_file_is_read_beside_the_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("fresh\n")

    assert read_kubeconfig(kubeconfig(tmp_path, user={"tokenFile": "token"})).bearer() == "fresh"


def test_a_token_is_read_again_after_it_was_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old")
    bearer = Bearer(Access(server="https://127.0.0.1", token_file=file))
    assert bearer.headers() == {"Authorization": "Bearer old"}
    file.write_text("new")
    assert bearer.headers() == {"Authorization": "Bearer old"}

    bearer.forget()

    assert bearer.headers() == {"Authorization": "Bearer new"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"current-context": "there"}, "contexts has no entry 'there'", id="a context that is not there"),
        pytest.param({"users": []}, "users has no entry 'me'", id="a user that is not there"),
        pytest.param({"user": {"exec": {"command": "aws"}}}, "logs in by a program", id="a user of a program"),
        pytest.param(
            {"cluster": {"certificate-authority-data": "%"}}, "certificate-authority cannot be read", id="bad base64"
        ),
        pytest.param(
            {"cluster": {"certificate-authority": "none.crt"}},
            "certificate-authority cannot be read",
            id="no such file",
        ),
    ],
)
def test_a_kubeconfig_that_cannot_be_used_says_why(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(AccessError) as error:
        read_kubeconfig(kubeconfig(tmp_path, **changes))

    assert said in str(error.value)
    assert str(tmp_path / "config") in str(error.value)


@pytest.mark.parametrize("content", ["", "- a list", "{", "current-context: here"])
def test_a_file_that_is_no_kubeconfig_says_so(tmp_path: Path, content: str) -> None:
    file = tmp_path / "config"
    file.write_text(content)

    with pytest.raises(AccessError, match="is not valid"):
        read_kubeconfig(file)


def test_no_way_at_all_says_how_to_give_one(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="name one with --kubeconfig or KUBECONFIG"):
        find_access(None, {"KUBECONFIG": str(tmp_path / "missing")})


def test_the_kubeconfig_of_the_environment_is_used(tmp_path: Path) -> None:
    assert find_access(None, {"KUBECONFIG": str(kubeconfig(tmp_path))}).server == "https://127.0.0.1:6443"
