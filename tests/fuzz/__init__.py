"""Every parser that takes bytes from strangers, fed with what strangers send: damaged, hostile, huge.

`parsers` names them with their seeds and the one error of each, `mutation` spoils seeds, `corpus/` keeps inputs that
once reached new code (or broke something), `heavy` feeds ten megabytes under limits of time and memory.
`python -m tests.fuzz [--seconds N] [NAME ...]` searches on and adds to the corpus.
"""
