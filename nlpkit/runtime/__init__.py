"""Run a model without torch: bundles, sessions, batches, streams and text generation."""
