"""Who seals and revokes: certificates, seals and their use, renderings, status changes, bulk issuing.

Order of every issuance: clear, record, sign, publish. This room judges nothing that others issued.
"""
