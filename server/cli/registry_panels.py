"""How `yinxin registry --help` is arranged: commands by what somebody sets out to do. Holds no command."""

from __future__ import annotations

from typing import Final

import typer

_TEXT: Final = """
Found, join, leave: key init admit-region admit-body expel
Propose, sign, publish: propose show consequences sign publish take-back status
What a list attests: start-list add-issuer grant add-seal add-status-key add-authority
    add-type change-type rename suspend withdraw reinstate
What a list accepts: recognise end-recognition rule change-notice add-scenario change-scenario
    add-relying-party add-relying-party-key add-foreign foreign
Keys and certificates: request certify make-ca change-officers change-seat
Run the host: renew propose-renewal host-keys change-host-keys declare-log change-log
Look, verify, hand on: refresh log audit export
"""
PANELS: Final = {
    title: names.split()
    for title, _, names in (line.partition(": ") for line in _TEXT.strip().replace("\n   ", "").splitlines())
}


def arrange(app: typer.Typer) -> None:
    """Give every command its panel, in this order."""
    places = {name: (n, panel) for n, (panel, names) in enumerate(PANELS.items()) for name in names}
    order = {name: n for n, name in enumerate(name for names in PANELS.values() for name in names)}
    for group in (app, *(each.typer_instance for each in app.registered_groups if each.typer_instance)):
        for command in group.registered_commands:
            _place(command, places)
        group.registered_commands.sort(key=lambda command: order.get(_name(command), len(order)))
    for each in app.registered_groups:
        if each.typer_instance is not None and isinstance(each.name, str):
            _place(each, places)


def _place(command: object, places: dict[str, tuple[int, str]]) -> None:
    found = places.get(_name(command))
    if found is not None:
        command.rich_help_panel = found[1]  # type: ignore[attr-defined]


def _name(command: object) -> str:
    name = getattr(command, "name", None)
    callback = getattr(command, "callback", None)
    return name if isinstance(name, str) else getattr(callback, "__name__", "")
