"""A small file of places in MaxMind's format."""

from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet

BERLIN = {"city": {"names": {"en": "Berlin", "de": "Berlin"}}, "country": {"names": {"en": "Germany"}}}
FRANCE = {"country": {"names": {"en": "France"}}}


def write(path: Path, *, kind: str = "Test-City", more: dict[str, Any] | None = None) -> Path:
    """Documentation networks: one in Berlin, one somewhere in France, an IPv6 one in Berlin."""
    writer = MMDBWriter(6, kind, languages=["en"], description="for tests", ipv4_compatible=True)
    known: dict[str, Any] = {"192.0.2.0/24": BERLIN, "198.51.100.0/24": FRANCE, "2001:db8:1::/48": BERLIN}
    for network, record in {**known, **(more or {})}.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path
