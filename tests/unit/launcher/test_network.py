"""Where this machine is reached from its network."""

from __future__ import annotations

import socket
import subprocess

import pytest

from services.launcher.network import Lan, NoNetwork, find_lan
from services.launcher.ports import free_port, is_free


def test_an_address_of_this_machine_may_be_named() -> None:
    lan = find_lan("127.0.0.1")
    assert lan.address == "127.0.0.1"
    assert {lan.address, lan.host, "localhost", "127.0.0.1"} <= set(lan.names)


@pytest.mark.parametrize("address", ["192.0.2.77", "bell", "::1", "0.0.0.0.0"])
def test_what_is_no_address_of_this_machine_is_refused(address: str) -> None:
    with pytest.raises(NoNetwork, match="is no IPv4 address of this machine"):
        find_lan(address)


def test_a_found_address_is_one_that_others_can_reach() -> None:
    try:
        lan = find_lan()
    except NoNetwork:
        # Only where there is none: `hostname -I` names every address but the loopback's.
        assert not subprocess.check_output(["hostname", "-I"]).split()
        return
    assert not lan.address.startswith(("127.", "169.254.", "0."))


def test_a_machine_is_also_called_by_its_name_on_the_local_network() -> None:
    assert Lan("192.0.2.7", "bell").names[:3] == ("192.0.2.7", "bell", "bell.local")
    assert "bell.example.com.local" not in Lan("192.0.2.7", "bell.example.com").names


def test_a_port_is_free_only_where_every_address_has_it() -> None:
    hosts = ("127.0.0.1", "127.0.0.2")
    port = free_port(hosts)
    assert is_free(port, hosts)
    with socket.socket() as taken:
        taken.bind((hosts[1], port))
        taken.listen()
        assert not is_free(port, hosts)
        assert is_free(port)
