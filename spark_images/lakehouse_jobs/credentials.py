"""The credentials of a source that is no store, as the kubelet put them into the environment."""

import os
from collections.abc import Mapping

from pydantic.alias_generators import to_snake

from lakehouse_api.secrets import SOURCE_VARIABLE
from lakehouse_jobs.failures import unavailable


class SourceCredentials:
    """The keys of the Secret that the source names. Values are read when asked for and shown nowhere."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    def find(self, key: str) -> str | None:
        """Give the value of a key, or None if the Secret lacks it or no Secret is named."""
        return self._environment.get(f"{SOURCE_VARIABLE}{to_snake(key).upper()}")

    def require(self, key: str) -> str:
        """Give the value of a key; raise CredentialsMissing, which a person can mend while the run is retried."""
        value = self.find(key)
        if not value:
            raise unavailable(
                "CredentialsMissing",
                f"the Secret that the source's credentials name has no key {key!r}. Add it; the next attempt reads it.",
            )
        return value
