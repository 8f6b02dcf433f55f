"""Judging by a server: how near to its own pace, in how much memory, and diffs into prompts."""
