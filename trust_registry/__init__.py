"""Who may attest what, who recognises whom, and what still stands.

Signed region lists in TUF metadata, certificate types, scenarios, recognition and status lists; and the client side
that turns published bytes into a `TrustView`. This room issues nothing and judges no certificate.
"""
