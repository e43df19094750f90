"""Facts that ship with etflow, as dated rows with their sources, and the modules that read them."""
