"""Who judges and keeps receipts: evidence in, a report with three values and a next step out.

`parse` and `judge` are pure; fetching trust and status data is `service`'s. This room issues nothing.
"""
