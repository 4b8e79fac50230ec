"""Sessions: a conversation keeps its tier where a change would cost more than it saves."""
