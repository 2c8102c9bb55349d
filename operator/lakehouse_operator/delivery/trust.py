"""Whom a TLS connection to a receiver trusts."""

import ssl

from lakehouse_operator.core.config import Notifications


def tls_context(settings: Notifications) -> ssl.SSLContext:
    """Trust the public authorities, and those of the settings."""
    context = ssl.create_default_context()
    if settings.ca_bundle:
        context.load_verify_locations(cadata=settings.ca_bundle)
    return context
