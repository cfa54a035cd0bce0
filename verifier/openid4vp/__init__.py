"""The relying party's side of OpenID4VP 1.0: requests by scenario, responses, verdicts. Judges by `verifier.core`."""
