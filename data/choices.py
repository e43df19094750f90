"""What a setting of the data can be; imports nothing, so that options and strategies can list it."""

# How late data were public.
AVAILABILITIES = ("normal", "strict")
# At which price new fund units become money: the press's, the literature's two, the close.
VALUATIONS = ("vwap", "nav", "prev_nav", "close")
