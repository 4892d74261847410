"""New projects: the questions, the rules that the answers keep, and the files that come of them."""
