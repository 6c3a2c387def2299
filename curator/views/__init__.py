"""The browser's way in to curation, one module a stage: parse, call one service, answer."""
