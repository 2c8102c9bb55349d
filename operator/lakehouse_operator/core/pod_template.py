"""The overlay a platform lays over its Spark Pods: which fields it may set, and how they join ours."""

from collections.abc import Iterator, Mapping
from typing import Any

from lakehouse_operator.core.plan import Manifest

_LISTS = ("tolerations", "volumes", "topologySpreadConstraints", "hostAliases", "imagePullSecrets")
_VALUES = (
    "affinity",
    "nodeSelector",
    "priorityClassName",
    "schedulerName",
    "runtimeClassName",
    "dnsConfig",
    "dnsPolicy",
)
_CONTAINER_LISTS = ("env", "envFrom", "volumeMounts")
_OURS = ("lakehouse.dev/", "spark-", "app.kubernetes.io/managed-by")
_OUR_ENV = ("SPARK_", "LAKEHOUSE_")


def refused_fields(template: Mapping[str, Any]) -> Iterator[str]:
    """Name every field of an overlay that the operator does not let users set, by its path."""
    yield from _unknown(template, ("metadata", "spec"), "")
    metadata = _mapping(template.get("metadata"))
    yield from _unknown(metadata, ("labels", "annotations"), "metadata.")
    for where in ("labels", "annotations"):
        yield from (f"metadata.{where}[{key}]" for key in _mapping(metadata.get(where)) if key.startswith(_OURS))
    spec = _mapping(template.get("spec"))
    yield from _unknown(spec, (*_LISTS, *_VALUES, "containers"), "spec.")
    yield from (f"spec.volumes[{i}].hostPath" for i, one in enumerate(_list(spec, "volumes")) if "hostPath" in one)
    containers = _list(spec, "containers")
    yield from (f"spec.containers[{i}]" for i in range(1, len(containers)))
    for container in containers[:1]:
        yield from _unknown(container, ("name", *_CONTAINER_LISTS), "spec.containers[0].")
        variables = _list(container, "env")
        yield from (
            f"spec.containers[0].env[{one.get('name')}]"
            for one in variables
            if str(one.get("name")).startswith(_OUR_ENV)
        )


def overlay(pod: Manifest, template: Mapping[str, Any]) -> Manifest:
    """Lay an allowed overlay over a Pod: lists are appended, maps are joined, ours wins where both speak."""
    if not template:
        return pod
    metadata, spec = _mapping(template.get("metadata")), _mapping(template.get("spec"))
    ours = pod["metadata"]
    joined = {key: {**_mapping(metadata.get(key)), **ours.get(key, {})} for key in ("labels", "annotations")}
    return {**pod, "metadata": {**ours, **joined}, "spec": _overlay_spec(pod["spec"], spec)}


def _overlay_spec(ours: Manifest, theirs: Mapping[str, Any]) -> Manifest:
    lists = {key: [*ours.get(key, []), *_list(theirs, key)] for key in _LISTS if key in ours or key in theirs}
    values = {key: theirs[key] for key in _VALUES if key in theirs}
    main = ours["containers"][0]
    extra = (_list(theirs, "containers") or [{}])[0]
    container = {**main, **{key: [*main.get(key, []), *_list(extra, key)] for key in _CONTAINER_LISTS if key in extra}}
    return {**ours, **values, **lists, "containers": [container, *ours["containers"][1:]]}


def _unknown(part: Mapping[str, Any], known: tuple[str, ...], path: str) -> Iterator[str]:
    return (f"{path}{key}" for key in part if key not in known)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(part: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = part.get(key)
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
