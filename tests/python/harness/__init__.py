"""What every suite here shares: the real server, a plain HTTP client, and the family of the example."""
