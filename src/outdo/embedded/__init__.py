"""What outdo brings along: problems, a small model, and the study that the demo runs."""
