"""Speed and memory of training, beside TRL: data, two contenders, measuring, the account."""
