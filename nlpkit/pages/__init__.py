"""Parts of self-contained HTML pages: no scripts, no files or fonts from elsewhere."""
