"""Running a model without torch: bundle, session, encoder, batcher and the streaming engine."""
