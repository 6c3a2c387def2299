"""What a person can do with pools, traces, selections, reviews and datasets; one module a stage."""
