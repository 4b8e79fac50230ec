"""What the proxy tells of itself: metrics, traces, a line for each request. Knows no proxy and no SQL."""
