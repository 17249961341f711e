"""One folder per platform; a mapper turns one event into Klaviyo commands and does nothing else."""
