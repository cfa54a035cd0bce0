"""`python -m tests.conformance`: every test vector of others, judged through `parse` and `judge`, as a table.

The vectors lie beside the repository; a family that is not there is named as missing, never passed over silently.
"""
