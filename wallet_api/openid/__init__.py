"""The hosted wallet's side of OpenID4VP and OpenID4VCI. Keys stay in the citizen's browser: nothing here signs."""
