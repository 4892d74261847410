"""Answers: from the model's raw output to the bytes of an answer."""
