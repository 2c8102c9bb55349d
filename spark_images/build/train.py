# ruff: noqa: INP001  # scripts of the image's build, which nothing imports
"""Makes the class archive of the image: runs a small job of each kind on a real S3, then dumps the classes it used.

Run once while the image is built: `train.py <weed> <archive>`. The job is started by the image's own entry, so that the
class path and options are those of a driver.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KEYS = {"accessKey": "training", "secretKey": "training"}
IDENTITIES = {
    "identities": [{"name": "training", "credentials": [KEYS], "actions": ["Admin", "Read", "Write", "List"]}]
}
ROLES = ("master", "volume", "filer", "s3")
READY_SECONDS = 60
SPARK = {
    "spark.master": "k8s://https://kubernetes.default.svc",
    "spark.kubernetes.driver.master": "local[2]",
    "spark.kubernetes.submitInDriver": "true",
    "spark.kubernetes.driver.pod.name": "training",
    "spark.kubernetes.namespace": "training",
    "spark.kubernetes.container.image": "training",
    "spark.app.id": "training",
    "spark.driver.memory": "1g",
    "spark.hadoop.fs.s3a.path.style.access": "true",
    "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
    "spark.hadoop.fs.s3a.aws.credentials.provider": "dev.lakehouse.spark.EnvironmentCredentials",
    "spark.hadoop.fs.s3a.lakehouse.credentials.prefix": "TRAINING",
}


def main() -> None:
    """Train, and check that there is an archive."""
    weed, archive = Path(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as scratch, object_store(weed, Path(scratch)) as endpoint:
        run_job(endpoint, archive, Path(scratch))
    if not archive.exists():
        sys.exit("the training job left no class archive")


@contextmanager
def object_store(weed: Path, scratch: Path) -> Iterator[str]:
    """Serve S3 with one bucket on loopback."""
    identities = scratch / "identities.json"
    identities.write_text(json.dumps(IDENTITIES))
    http, grpc = free_ports(len(ROLES)), free_ports(len(ROLES))
    ports = [f"-{role}.port={port}" for role, port in zip(ROLES, http, strict=True)]
    ports += [f"-{role}.port.grpc={port}" for role, port in zip(ROLES, grpc, strict=True)]
    places = [f"-dir={scratch}", "-ip=127.0.0.1", "-filer", "-s3", f"-s3.config={identities}"]
    off = ["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false", "-volume.max=20"]
    with subprocess.Popen([str(weed), "server", *places, *ports, *off], stderr=subprocess.DEVNULL) as server:
        try:
            wait_until_it_stores(http[0], http[3])
            make_bucket(weed, f"127.0.0.1:{http[0]}.{grpc[0]}")
            yield f"http://127.0.0.1:{http[3]}"
        finally:
            server.kill()


def free_ports(count: int) -> list[int]:
    """Return loopback ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_until_it_stores(master: int, s3: int) -> None:
    """Return once the master knows a place to store at and S3 answers."""
    deadline = time.monotonic() + READY_SECONDS
    while not stores(master, s3):
        if time.monotonic() > deadline:
            sys.exit("the training's object store did not start")
        time.sleep(0.1)


def stores(master: int, s3: int) -> bool:
    """Tell whether the object store is ready."""
    try:
        socket.create_connection(("127.0.0.1", s3), timeout=1).close()
        with urllib.request.urlopen(f"http://127.0.0.1:{master}/dir/status", timeout=1) as answer:
            return bool(json.load(answer)["Topology"]["Max"])
    except OSError:
        return False


def make_bucket(weed: Path, master: str) -> None:
    """Make the bucket `training`."""
    command = [str(weed), "shell", "-master", master]
    subprocess.run(command, input=b"s3.bucket.create -name training\n", check=True, capture_output=True)


def run_job(endpoint: str, archive: Path, scratch: Path) -> None:
    """Run the training job as a driver pod would, its classes archived when it ends."""
    defaults = (Path(os.environ["SPARK_HOME"]) / "conf" / "spark-defaults.conf").read_text()
    conf = SPARK | {"spark.hadoop.fs.s3a.endpoint": endpoint}
    lines = [f"{key}={value}" for key, value in conf.items()]
    properties = scratch / "spark.properties"
    properties.write_text("\n".join([defaults.replace("spark.master ", "#"), *lines]))
    job = str(Path(__file__).with_name("training_job.py"))
    command = [sys.executable, "-m", "entrypoint", "driver", "--properties-file", str(properties), job]
    environment = os.environ | {
        "JAVA_TOOL_OPTIONS": f"-XX:ArchiveClassesAtExit={archive} -Xlog:cds=error -Xlog:cds+dynamic=error",
        "LAKEHOUSE_SPARK_MODE": "Single",
        "SPARK_LOCAL_IP": "127.0.0.1",  # while an image is built, its host name may not resolve
        "SPARK_LOCAL_HOSTNAME": "localhost",
        "TRAINING_ACCESS_KEY_ID": KEYS["accessKey"],
        "TRAINING_SECRET_ACCESS_KEY": KEYS["secretKey"],
    }
    subprocess.run(command, env=environment, cwd=scratch, check=True)


if __name__ == "__main__":
    main()
