"""Certificates of one cluster: a private authority and what it signs. Keys are ECDSA P-256, made in milliseconds."""

import datetime as dt
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = dt.timedelta(days=3650)
CLOCK_SKEW = dt.timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class KeyPair:
    """Paths of a PEM certificate and its PEM private key."""

    certificate: Path
    key: Path


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A certificate authority that writes what it signs into `directory`."""

    directory: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls, directory: Path) -> "Authority":
        """Make a new authority; its certificate is `ca.crt`."""
        directory.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("lakehouse-dev-ca")
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        builder = _builder(name, issuer=name, key=key).add_extension(constraints, critical=True)
        authority = cls(directory=directory, certificate=builder.sign(key, hashes.SHA256()), key=key)
        authority.path.write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
        return authority

    @property
    def path(self) -> Path:
        """Return the path of the authority's certificate."""
        return self.directory / "ca.crt"

    def server(self, file_name: str, *, names: Iterable[str]) -> KeyPair:
        """Sign a server certificate for DNS names and IP addresses."""
        alternatives = x509.SubjectAlternativeName([_alternative(each) for each in names])
        return self._sign(file_name, _name(file_name), ExtendedKeyUsageOID.SERVER_AUTH, alternatives)

    def client(self, file_name: str, *, user: str, group: str = "") -> KeyPair:
        """Sign a client certificate for a Kubernetes user (common name) and group (organisation)."""
        return self._sign(file_name, _name(user, group), ExtendedKeyUsageOID.CLIENT_AUTH)

    def _sign(
        self, file_name: str, subject: x509.Name, usage: x509.ObjectIdentifier, *extensions: x509.ExtensionType
    ) -> KeyPair:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(subject, issuer=self.certificate.subject, key=key)
        for extension in (x509.ExtendedKeyUsage([usage]), *extensions):
            builder = builder.add_extension(extension, critical=False)
        pair = KeyPair(certificate=self.directory / f"{file_name}.crt", key=self.directory / f"{file_name}.key")
        pair.certificate.write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        write_private_key(pair.key, key)
        return pair


def signing_keys(directory: Path, file_name: str) -> tuple[Path, Path]:
    """Make a key pair without a certificate (as for service account tokens): (public, private) paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    public, private = directory / f"{file_name}.pub", directory / f"{file_name}.key"
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    write_private_key(private, key)
    return public, private


def write_private_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Write a PEM private key that only its owner can read."""
    path.touch(mode=0o600)
    encryption = serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))


def _builder(subject: x509.Name, *, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 - certificates start today
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key.public_key())
    return (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
    )


def _name(common_name: str, organisation: str = "") -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organisation:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(attributes)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
