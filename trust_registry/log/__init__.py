"""The network's transparency log: every published snapshot is a leaf of an append-only tree that witnesses cosign.

`merkle`, `tiles`, `proofs` and `writer` know trees; `checkpoint`, `declaration` and `verification` who must have
signed; `witness` and `witness_store` are a region's witness, `cosigning` the log's side of that conversation; `entries`
is what this network logs. How publishing uses the log is `trust_registry.publication`; how a verifier does, `client`.
"""
