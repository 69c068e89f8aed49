"""Running checks: which ones (`selection`), over what (`links`), and how they ended (`result`)."""
