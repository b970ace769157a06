"""Rules of a company that is made up, as an example of a plugin for dfopt."""
