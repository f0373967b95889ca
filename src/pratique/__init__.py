"""pratique: finds every place a malicious package release reached, and proves how far it got."""
