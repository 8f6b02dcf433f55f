"""The similarity metrics beside the packages that they stand in for."""
