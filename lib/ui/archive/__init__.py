"""The page Archive: every video of the library with its category, what is restricted in it, and how right that is."""
