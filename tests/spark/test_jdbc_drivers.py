"""The drivers' own jars: what they take of ours, as far as that shows without their services."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from py4j.java_gateway import get_field
from pyspark.sql import SparkSession

from lakehouse_api.run import ExitCode
from lakehouse_dev.spark_jars import job_jars
from lakehouse_jobs.credentials import SourceCredentials
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest.sources.jdbc.database import Database
from lakehouse_jobs.ingest.sources.jdbc.drivers import FOLDER, driver_class
from lakehouse_jobs.ingest.sources.jdbc.redshift import REDSHIFT
from lakehouse_jobs.ingest.sources.jdbc.snowflake import SNOWFLAKE

pytestmark = pytest.mark.spark

KEY = rsa.generate_private_key(65537, 2048)
URL = "jdbc:snowflake://org-account.snowflakecomputing.com/?warehouse=W&role=R&db=D&schema=S"


@pytest.fixture
def drivers(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> SparkSession:
    monkeypatch.setenv(FOLDER, str(job_jars() / "drivers"))
    return spark


def secret(**keys: str) -> SourceCredentials:
    return SourceCredentials({f"LAKEHOUSE_SOURCE_{name.upper()}": value for name, value in keys.items()})


def pem(passphrase: str | None) -> str:
    lock = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    return KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock).decode()


def instance(spark: SparkSession, driver: str) -> Any:
    gateway: Any = spark.sparkContext._gateway
    classes, objects = (gateway.new_array(getattr(gateway.jvm.java.lang, kind), 0) for kind in ("Class", "Object"))
    return driver_class(spark, driver).getDeclaredConstructor(classes).newInstance(objects)


def opened(member: Any) -> Any:
    member.setAccessible(True)
    return member


@pytest.mark.parametrize("passphrase", [None, "correct horse"], ids=["a plain key", "an encrypted key"])
def test_the_driver_of_snowflake_signs_a_login_with_the_key_of_the_secret(
    drivers: SparkSession, passphrase: str | None
) -> None:
    keys = {"username": "LAKEHOUSE", "private_key": pem(passphrase)}
    told = SNOWFLAKE.log_in(secret(**keys, **({"private_key_passphrase": passphrase} if passphrase else {})))
    driver_class(drivers, SNOWFLAKE.driver)
    signer = driver_class(drivers, "net.snowflake.client.internal.core.SessionUtilKeyPair")
    gateway: Any = drivers.sparkContext._gateway
    given = gateway.new_array(gateway.jvm.java.lang.Object, 6)
    for place, value in enumerate(
        (None, None, told["private_key_base64"], told.get("private_key_pwd"), "ORG-ACCOUNT", told["user"])
    ):
        given[place] = value

    pair = opened(signer.getDeclaredConstructors()[0]).newInstance(given)
    sign = opened(signer.getDeclaredMethod("issueJwtToken", gateway.new_array(gateway.jvm.java.lang.Class, 0)))
    token = sign.invoke(pair, gateway.new_array(gateway.jvm.java.lang.Object, 0))

    signed, _, signature = token.rpartition(".")
    KEY.public_key().verify(_decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    assert json.loads(_decoded(signed.partition(".")[2]))["sub"] == "ORG-ACCOUNT.LAKEHOUSE"


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_driver_of_snowflake_takes_the_url_and_knows_what_it_is_told(drivers: SparkSession) -> None:
    driver = instance(drivers, SNOWFLAKE.driver)
    known = driver_class(drivers, "net.snowflake.client.internal.core.SFSessionProperty")
    names = {str(each).lower() for each in known.getEnumConstants()}
    told = SNOWFLAKE.log_in(secret(username="L", private_key=pem(None), private_key_passphrase="x"))
    session_parameters = {"QUERY_TAG", "TIMEZONE", "CLIENT_SESSION_KEEP_ALIVE", "JDBC_QUERY_RESULT_FORMAT"}

    assert driver.acceptsURL(URL)
    unknown = [name for name in told if _plain(name) not in {_plain(each) for each in names}]
    assert set(unknown) == session_parameters


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def test_the_driver_of_redshift_takes_the_url_and_knows_what_it_is_told(drivers: SparkSession) -> None:
    driver = instance(drivers, REDSHIFT.driver)
    jvm: Any = drivers._jvm
    url = "jdbc:redshift://cluster.example.com:5439/dev?sslmode=verify-full&queryGroup=lake"

    found = driver.getPropertyInfo(url, jvm.java.util.Properties())

    assert driver.acceptsURL(url)
    known = {get_field(each, "name"): get_field(each, "value") for each in found}
    told = REDSHIFT.log_in(secret(username="u", password="p"))
    assert [name for name in told if name.lower() not in known] == []
    assert (known["sslmode"], known["querygroup"]) == ("verify-full", "lake")


def test_an_account_that_cannot_be_reached_is_unavailable(drivers: SparkSession) -> None:
    told = SNOWFLAKE.log_in(secret(username="L", private_key=pem(None)))
    url = "jdbc:snowflake://127.0.0.1:1/?loginTimeout=1"
    database = Database(spark=drivers, url=url, place="ORDERS", sql=SNOWFLAKE, properties={**told, "loginTimeout": "1"})

    with pytest.raises(JobError) as caught, database.session():
        pass

    assert (caught.value.reason, caught.value.code) == ("SourceUnavailable", ExitCode.UNAVAILABLE)
    assert told["private_key_base64"] not in caught.value.message


def test_a_driver_that_no_image_of_ours_lacks_is_named(drivers: SparkSession) -> None:
    with pytest.raises(JobError) as caught:
        driver_class(drivers, "com.example.Driver")

    assert (caught.value.reason, "com.example.Driver" in caught.value.message) == ("DriverMissing", True)
