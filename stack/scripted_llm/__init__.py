"""A server that speaks an LLM's protocol and is none: it plays a script, well or badly, as it is told."""
