"""Making the demonstration in a process of its own: the memory it takes is not kept while serving.

Imports nothing heavy, so that the server can be loaded while the child works.
"""

from __future__ import annotations

import fcntl
import os
import socket
import sys
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import NoReturn

from server.errors import AlreadyRunning, DemoFolderRefused

SETTINGS_FILE = "yinxin.toml"
MARK = ".demo-under-construction"  # while this file is there, the folder is unfinished and may be made anew


def begin(data: Path, host: str, port: int) -> SpawnProcess | None:
    """Begin to make what is not there yet; None when everything is."""
    if (data / SETTINGS_FILE).exists() and not (data / MARK).exists():
        return None
    child = get_context("spawn").Process(target=_make, args=(data, host, port), daemon=True)
    child.start()
    return child


def finish(child: SpawnProcess | None) -> None:
    """Wait for it. Raises DemoFolderRefused when it was not made; the child has said why."""
    if child is None:
        return
    child.join()
    if child.exitcode != 0:
        raise DemoFolderRefused("the demonstration was not prepared")


def claim(data: Path, host: str, port: int) -> None:
    """Make sure, before anything is made, that the address is free and the folder this process's own.

    The folder, made if missing, stays locked until the process ends. Raises: AlreadyRunning, DemoFolderRefused.
    """
    _probe(host, port)
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as err:
        raise DemoFolderRefused(f"{data} can't be used as a folder ({err.strerror}): choose another --data") from err
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as err:
        os.close(folder)
        raise AlreadyRunning(f"a demonstration runs on {data} already: stop it, or choose another --data") from err


def _probe(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as err:
            raise AlreadyRunning(f"port {port} is reserved: choose one from 1024 with --port") from err
        except OSError as err:
            raise AlreadyRunning(f"can't listen on {host}:{port} ({err.strerror}): choose another --port") from err


def say(text: str) -> None:
    sys.stdout.write(f"{text} ...\n")
    sys.stdout.flush()


def _make(data: Path, host: str, port: int) -> None:
    from server.demo.start import prepare

    try:
        prepare(data, host, port, say=say)
    except DemoFolderRefused as err:
        _refuse(str(err))
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as err:
        _refuse(f"{err.filename or data}: {err.strerror}")


def _refuse(reason: str) -> NoReturn:
    sys.stderr.write(f"yinxin: {reason}\n")
    sys.exit(1)
