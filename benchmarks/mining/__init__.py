"""What is mined in the benchmark of mining, and who mines it in a process of its own."""
