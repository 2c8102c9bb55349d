"""Trust in the certificate authorities of a store that no public one has signed.

S3A verifies servers by the JVM's trust store. It is written here directly, in the old and simple JKS format that every
JVM reads, because keytool would start a JVM per certificate.
"""

import hashlib
import re
import ssl
import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path

from entrypoint.errors import UnusableError

BUNDLE = "LAKEHOUSE_CA_BUNDLE"
PUBLIC = Path("/etc/ssl/certs/ca-certificates.crt")
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
MAGIC, VERSION, TRUSTED = 0xFEEDFEED, 2, 2
# The format ends in a digest salted with these words; a JVM that is given no password does not check it.
SALT = b"Mighty Aphrodite"


def trust_bundle(environment: dict[str, str]) -> list[str]:
    """Return the JVM options that trust the bundle beside the public authorities, none if no bundle is named.

    Python and its S3 clients are told by `environment`, unless it already says otherwise.
    """
    name = environment.get(BUNDLE)
    if not name:
        return []
    certificates = [*public(), *read(Path(name))]
    directory = Path(tempfile.mkdtemp(prefix="lakehouse-trust-"))
    (directory / "trust.pem").write_text("\n".join(certificates))
    (directory / "trust.jks").write_bytes(jks(certificates))
    for variable in ("AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        environment.setdefault(variable, str(directory / "trust.pem"))
    return [f"-Djavax.net.ssl.trustStore={directory / 'trust.jks'}", "-Djavax.net.ssl.trustStoreType=JKS"]


def read(file: Path) -> list[str]:
    """Return the PEM certificates of a bundle; raise UnusableError if there are none or one is damaged."""
    try:
        found = CERTIFICATE.findall(file.read_text())
        for certificate in found:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=certificate)
    except ssl.SSLError as error:
        raise UnusableError(f"{BUNDLE}={file}: a certificate is damaged: {error}; replace the bundle") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableError(f"{BUNDLE}={file}: {error}; mount a ConfigMap with PEM certificates there") from error
    if not found:
        raise UnusableError(f"{BUNDLE}={file} holds no PEM certificate (-----BEGIN CERTIFICATE-----)")
    return found


def public() -> list[str]:
    """Return the authorities that the image trusts anyway."""
    return CERTIFICATE.findall(PUBLIC.read_text()) if PUBLIC.exists() else []


def jks(certificates: Sequence[str]) -> bytes:
    """Return a JKS trust store of PEM certificates."""
    body = struct.pack(">III", MAGIC, VERSION, len(certificates))
    for number, certificate in enumerate(certificates):
        der = ssl.PEM_cert_to_DER_cert(certificate)
        body += struct.pack(">I", TRUSTED) + utf(str(number)) + struct.pack(">Q", 0)
        body += utf("X.509") + struct.pack(">I", len(der)) + der
    return body + hashlib.sha1(SALT + body, usedforsecurity=False).digest()


def utf(text: str) -> bytes:
    """Return a string as Java's DataOutputStream writes it."""
    return struct.pack(">H", len(text)) + text.encode()
