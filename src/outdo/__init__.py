"""Fine-tune open code models, and prove whether they outdo a reference."""

__version__ = "0.1.0"
