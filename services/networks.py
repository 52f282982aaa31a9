"""Which addresses count as one visitor where guesses and refusals are counted, and what is left of old ones."""

import ipaddress

SHORTENED = {4: 24, 6: 48}  # bits: what a provider gives to a town rather than to a person
IPV6_OF_ONE = 64  # bits: a connection is given at least so many addresses, and may use another for each request


def network_of(address: str | None) -> str:
    """An IPv4 address itself, the /64 of an IPv6 one; whatever is no address counts as one visitor."""
    try:
        known = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    rest = 128 - IPV6_OF_ONE
    return str(ipaddress.IPv6Network((int(known) >> rest << rest, IPV6_OF_ONE)))


def shortened(address: str) -> str:
    """The network that an address lies in (/24, /48), which names nobody; nothing of what is no address."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return ""
    mapped = known.ipv4_mapped if isinstance(known, ipaddress.IPv6Address) else None
    known = mapped or known
    return str(ipaddress.ip_network(f"{known}/{SHORTENED[known.version]}", strict=False))
