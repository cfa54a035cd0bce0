"""What a citizen holds, consents to and presents. Checks what it is handed with the verifier; never issues."""
