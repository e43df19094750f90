"""The judgement of a search: what is known of it, six blocks of numbers, warnings, one word, one page."""
