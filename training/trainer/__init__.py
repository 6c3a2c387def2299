"""The program that fine-tunes: job.json in; progress.jsonl, a checkpoint and result.json out."""
