"""A front that lets Redshift's JDBC driver log in to PostgreSQL, from which Redshift descends.

The driver tells the server about itself in parameters of the startup message that only Redshift knows, and PostgreSQL
refuses a login that has them. They are left out here; all that follows is passed on unchanged. Python's standard
library alone: the image of the demo's warehouse runs this file.

    python3 redshift_front.py LISTEN_ADDRESS LISTEN_PORT POSTGRES_PORT

The driver knows no SCRAM: let the server take plain passwords from the roles that use it.
"""

import asyncio
import struct
import sys

KNOWN_TO_POSTGRES = frozenset(
    {
        "user",
        "database",
        "options",
        "application_name",
        "client_encoding",
        "DateStyle",
        "TimeZone",
        "extra_float_digits",
    }
)
_PROTOCOL_3 = 196608
_HEADER = struct.Struct("!II")
_CHUNK = 65536


def without_unknown(body: bytes) -> bytes:
    """Leave out of a startup message's name and value pairs what PostgreSQL does not know."""
    words = body.split(b"\0")
    pairs = [pair for pair in zip(words[::2], words[1::2], strict=False) if pair[0].decode() in KNOWN_TO_POSTGRES]
    return b"".join(name + b"\0" + value + b"\0" for name, value in pairs) + b"\0"


async def _login(client: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
    length, code = _HEADER.unpack(await client.readexactly(_HEADER.size))
    body = await client.readexactly(length - _HEADER.size)
    if code == _PROTOCOL_3:
        body = without_unknown(body)
    server.write(_HEADER.pack(len(body) + _HEADER.size, code) + body)


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(_CHUNK):
            target.write(data)
            await target.drain()
    except ConnectionError:
        pass
    finally:
        target.close()


async def serve(address: str, port: int, postgres: int) -> asyncio.Server:
    """Listen, and pass each connection on to the PostgreSQL on loopback."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", postgres)
            await _login(reader, server_writer)
        except (OSError, asyncio.IncompleteReadError):
            writer.close()
            return
        await asyncio.gather(_pass_on(reader, server_writer), _pass_on(server_reader, writer))

    return await asyncio.start_server(talk, address, port)


async def _main(address: str, port: int, postgres: int) -> None:
    async with await serve(address, port, postgres) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
