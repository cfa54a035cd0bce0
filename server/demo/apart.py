"""Making the demonstration in a process of its own: the memory it takes is not kept while serving.

Imports nothing heavy, so that the server can be loaded while the child works.
"""

from __future__ import annotations

import sys
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path

from server.errors import DemoFolderRefused

SETTINGS_FILE = "yinxin.toml"
MARK = ".demo-under-construction"  # while this file is there, the folder is unfinished and may be made anew


def begin(data: Path, host: str, port: int) -> SpawnProcess | None:
    """Begin to make what is not there yet; None when everything is."""
    if (data / SETTINGS_FILE).exists() and not (data / MARK).exists():
        return None
    child = get_context("spawn").Process(target=_make, args=(data, host, port))
    child.start()
    return child


def finish(child: SpawnProcess | None) -> None:
    """Wait for it. Raises DemoFolderRefused when it was not made; the child has said why."""
    if child is None:
        return
    child.join()
    if child.exitcode != 0:
        raise DemoFolderRefused("the demonstration was not prepared")


def say(text: str) -> None:
    sys.stdout.write(f"{text} ...\n")
    sys.stdout.flush()


def _make(data: Path, host: str, port: int) -> None:
    from server.demo.start import prepare

    try:
        prepare(data, host, port, say=say)
    except DemoFolderRefused as err:
        sys.stderr.write(f"yinxin: {err}\n")
        sys.exit(1)
