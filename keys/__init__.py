"""Custody, algorithms, X.509, timestamps and envelopes: bytes in, signed bytes out.

This room knows nothing of regions, certificates of citizens, or the web.
"""
