"""A network's log and witnesses as a policy file, for other people's tools that verify checkpoints and proofs.

Written, never read: what counts here is `declaration`, which the seats sign. Spec: C2SP tlog-policy.
"""

from __future__ import annotations

from trust_registry.log.declaration import LogDeclaration

_GROUP = "witnesses-of-the-network"


def policy_file(log: LogDeclaration) -> str:
    """The policy file: the log, its witnesses under their key names, and how many of them must have cosigned.

    Where the name of one means something else in such a file, they are numbered instead.
    """
    names = [key.name for key in log.witnesses]
    if {"none", _GROUP} & set(names):
        names = [f"witness-{number}" for number in range(1, len(names) + 1)]
    lines = [f"log {log.key}"]
    lines += [f"witness {name} {key}" for name, key in zip(names, log.witnesses, strict=True)]
    if log.quorum:
        lines.append(f"group {_GROUP} {log.quorum} {' '.join(names)}")
    lines.append(f"quorum {_GROUP if log.quorum else 'none'}")
    return "".join(f"{line}\n" for line in lines)
