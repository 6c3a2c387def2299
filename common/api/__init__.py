"""What every part of the HTTP API shares: who asks, what is refused and how, and lists in pages."""
