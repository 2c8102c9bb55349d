"""Serve the APIs: `python -m lakehouse_dev.web --certificate tls.crt --key tls.key`."""

import argparse

from aiohttp import web

from lakehouse_dev.web.crm import Crm
from lakehouse_dev.web.server import World, tls_of


def main() -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8443)
    parser.add_argument("--certificate", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--size", type=int, default=1_000, help="Records of each object.")
    arguments = parser.parse_args()
    world = World(crm=Crm(size=arguments.size))
    web.run_app(world.application(), port=arguments.port, ssl_context=tls_of(arguments.certificate, arguments.key))


if __name__ == "__main__":
    main()
