"""The program that evaluates: job.json in; thoughts.jsonl, progress.jsonl and result.json out."""
