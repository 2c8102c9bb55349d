"""A bundle of certificate authorities that was mounted is trusted beside the public ones."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from entrypoint import trust
from entrypoint.command import command_line
from entrypoint.errors import UnusableError


@pytest.fixture(scope="module")
def certificates() -> list[str]:
    found = trust.public()[:2]
    assert len(found) == 2
    return found


def test_nothing_is_changed_without_a_bundle() -> None:
    environment: dict[str, str] = {}
    assert trust.trust_bundle(environment) == []
    assert environment == {}


def test_python_s_clients_are_told_unless_they_were_told_already(tmp_path: Path, certificates: list[str]) -> None:
    bundle = tmp_path / "ca.crt"
    bundle.write_text("\n".join(certificates))
    environment = {trust.BUNDLE: str(bundle), "SSL_CERT_FILE": "/mine.pem"}
    command = command_line(["true"], environment)
    assert command == ["true"]
    assert environment["SSL_CERT_FILE"] == "/mine.pem"
    context = ssl.create_default_context(cafile=environment["AWS_CA_BUNDLE"])
    assert len(context.get_ca_certs()) >= len(certificates)
    shutil.rmtree(Path(environment["AWS_CA_BUNDLE"]).parent)


@pytest.mark.skipif(shutil.which("keytool") is None, reason="needs a JDK's keytool")
def test_a_jvm_reads_the_trust_store(tmp_path: Path, certificates: list[str]) -> None:
    store = tmp_path / "trust.jks"
    store.write_bytes(trust.jks(certificates))
    command = ["keytool", "-list", "-rfc", "-storetype", "JKS", "-keystore", str(store)]
    listed = subprocess.run(command, input="\n", capture_output=True, text=True, check=True).stdout
    found = {ssl.PEM_cert_to_DER_cert(each) for each in trust.CERTIFICATE.findall(listed)}
    assert found == {ssl.PEM_cert_to_DER_cert(each) for each in certificates}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "No such file", id="a bundle that is not there"),
        pytest.param("nothing", "holds no PEM certificate", id="a bundle without certificates"),
        pytest.param("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----", "is damaged", id="a damaged one"),
        pytest.param("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "is damaged", id="a false one"),
    ],
)
def test_a_bundle_that_cannot_be_used_is_named(tmp_path: Path, content: str | None, said: str) -> None:
    bundle = tmp_path / "ca.crt"
    if content is not None:
        bundle.write_text(content)
    with pytest.raises(UnusableError, match=said) as error:
        trust.trust_bundle({trust.BUNDLE: str(bundle)})
    assert str(bundle) in str(error.value)
