"""A verdict in forms that others read: the standard's JSON (`etsi`), a document for people (`pdf`). Decides nothing."""
