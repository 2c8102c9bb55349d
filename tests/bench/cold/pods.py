"""The job of the cold start as a Pod that may do as little as a driver of the operator: no root, a read-only root."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse_dev.cluster.services import apply, kubectl
from lakehouse_dev.errors import DevError
from lakehouse_dev.sandbox import SPARK_SCRATCH, SPARK_USER
from lakehouse_dev.waiting import wait_until
from tests.bench.cold.places import JOB_FILE, Timing, steps
from tests.bench.cold.variants import JOB, Storage, Variant

TIMEOUT_SECONDS = 600
NAMESPACE = "default"


@dataclass(frozen=True, kw_only=True)
class InPod:
    """A cluster that has the images and a bucket."""

    kubeconfig: Path
    storage: Storage
    name: str = "in a pod"

    def run(self, variant: Variant, table: str) -> Timing:
        """Run the job once, in a fresh Pod."""
        pod = f"cold-{table}"
        started = time.monotonic()
        apply(self.kubeconfig, [self._configuration(pod, variant), self._pod(pod, variant, table)])
        wait_until(
            lambda: self._phase(pod) in ("Succeeded", "Failed"), what=f"{pod} ended", timeout=TIMEOUT_SECONDS, poll=1
        )
        failed = self._phase(pod) == "Failed"
        log = kubectl(self.kubeconfig, "logs", pod)
        kubectl(self.kubeconfig, "delete", "pod,configmap", pod, "--wait=false")
        if failed:
            raise DevError(f"cold-start: the Pod of {variant.name} failed:\n{log[-4000:]}")
        return Timing(steps=steps(started, log), cpu=None)

    def _phase(self, pod: str) -> str:
        return kubectl(self.kubeconfig, "get", "pod", pod, "--output=jsonpath={.status.phase}")

    def _configuration(self, pod: str, variant: Variant) -> dict[str, Any]:
        data = {"job.py": JOB_FILE.read_text(), "spark.properties": variant.properties(self.storage)}
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": pod, "namespace": NAMESPACE},
            "data": data,
        }

    def _pod(self, pod: str, variant: Variant, table: str) -> dict[str, Any]:
        scratch = {f"scratch-{number}": place for number, place in enumerate(SPARK_SCRATCH)}
        mounts = [{"name": name, "mountPath": place} for name, place in scratch.items()]
        container = {
            "name": "driver",
            "image": variant.image.name,
            "imagePullPolicy": "Never",
            "command": list(variant.start),
            "args": variant.arguments(table),
            "env": [{"name": key, "value": value} for key, value in variant.variables().items()],
            "resources": {"requests": {"cpu": "100m", "memory": "1536Mi"}, "limits": {"memory": "2Gi"}},
            "securityContext": {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False},
            "volumeMounts": [*mounts, {"name": "bench", "mountPath": str(Path(JOB).parent)}],
        }
        volumes = [{"name": name, "emptyDir": {}} for name in scratch]
        spec = {
            "restartPolicy": "Never",
            "enableServiceLinks": False,
            "automountServiceAccountToken": False,
            "securityContext": {"runAsUser": SPARK_USER, "runAsGroup": SPARK_USER, "fsGroup": SPARK_USER},
            "containers": [container],
            "volumes": [*volumes, {"name": "bench", "configMap": {"name": pod}}],
        }
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": pod, "namespace": NAMESPACE}, "spec": spec}
