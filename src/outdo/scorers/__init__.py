"""Scores of answers, as pure functions: nothing here runs a program, a model or a person."""
