"""Changes to an authority's list, one function each: list and words in, edited list out. Pure; `now` is an argument.

Each takes the list as it is published (or as an earlier edit left it) and gives one that keeps every rule of
`core.check_list` and, as the next version proposed at `now` or later on the same second, of `core.check_history`:
nothing vanishes, histories grow at their end, nothing is dated back, notice is kept. What can't be done that way is
refused. Version and `issued_at` stay as they are: `ceremony.propose` sets them. Certificates are not opened.
"""

from __future__ import annotations

from trust_registry.editing.accepting import (
    add_foreign_list,
    add_recognition,
    add_relying_party,
    add_relying_party_key,
    add_scenario,
    change_notice_period,
    end_recognition,
    replace_scenario,
)
from trust_registry.editing.attesting import (
    add_authority,
    add_grant,
    add_issuer,
    add_seal,
    add_status_key,
    add_type,
    next_seal_id,
    replace_type,
)
from trust_registry.editing.redrafting import taken_up
from trust_registry.editing.renaming import rename, rename_entry
from trust_registry.editing.ruling import add_rule, end_rule
from trust_registry.editing.statuses import change_status, entry_paths, history_of

__all__ = [
    "add_authority",
    "add_foreign_list",
    "add_grant",
    "add_issuer",
    "add_recognition",
    "add_relying_party",
    "add_relying_party_key",
    "add_rule",
    "add_scenario",
    "add_seal",
    "add_status_key",
    "add_type",
    "change_notice_period",
    "change_status",
    "end_recognition",
    "end_rule",
    "entry_paths",
    "history_of",
    "next_seal_id",
    "rename",
    "rename_entry",
    "replace_scenario",
    "replace_type",
    "taken_up",
]
