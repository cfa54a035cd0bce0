"""A demonstration's folder opened by a second process, while its server runs or not. Makes none and serves nothing."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

from server.demo.apart import MARK, SETTINGS_FILE
from server.demo.start import check_readable
from server.errors import DemoFolderRefused
from server.settings import load_settings
from server.wiring import Opened, open_all


def open_demo(data: Path) -> Opened:
    """What its services stand on; the trust data as the demonstration last saw them. Raises: DemoFolderRefused."""
    data = data.absolute()
    if not (data / SETTINGS_FILE).is_file() or (data / MARK).exists():
        raise DemoFolderRefused(f"{data} holds no demonstration: make one with  yinxin demo --data {data}")
    settings = load_settings(data / SETTINGS_FILE, data=data)
    if not settings.demo:
        raise DemoFolderRefused(f"{data} holds no demonstration, but a server's settings")
    check_readable(data)
    opened = open_all(settings)
    if opened.keeper.view is None:
        raise DemoFolderRefused(f"{data} holds no trust data: start it once with  yinxin demo --data {data}")
    return opened


def answers(data: Path) -> bool:
    """Whether anybody listens where the demonstration of that folder would."""
    address = urlsplit(load_settings(data.absolute() / SETTINGS_FILE, data=data.absolute()).origin)
    try:
        with socket.create_connection((address.hostname or "", address.port or 80), timeout=2):
            return True
    except OSError:
        return False
