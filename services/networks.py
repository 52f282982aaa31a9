"""Which addresses count as one visitor where guesses and refusals are counted."""

import ipaddress

IPV6_OF_ONE = 64  # bits: a connection is given at least so many addresses, and may use another for each request


def network_of(address: str) -> str:
    """An IPv4 address itself, the /64 of an IPv6 one; anything else as it is."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address[:45]
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    rest = 128 - IPV6_OF_ONE
    return str(ipaddress.IPv6Network((int(known) >> rest << rest, IPV6_OF_ONE)))
