"""The credential issuer and its authorization server, one of each per office. Spec: OpenID4VCI 1.0, HAIP 1.0."""
