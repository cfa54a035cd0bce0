"""Ten thousand generated and spoiled SD-JWTs, CWTs and PDFs: our engine and independent ones on the same bytes.

Everyone is asked one thing: is this whole, and by this key? Where answers differ, the kind of spoiling must stand in
the table of the module (`EXPLAINED`) with the reason; docs/differential.md is made of these tables (`make docs`).
"""
