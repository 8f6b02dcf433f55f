"""Rows out of repositories: commits and pull requests, through git itself or GitHub's interface."""
