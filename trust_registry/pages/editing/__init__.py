"""Forms for everything an authority changes in its list. Each ends in a proposal; none changes what is published."""

from __future__ import annotations
