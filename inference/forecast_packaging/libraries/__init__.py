"""Libraries: what a model needs beside what an image holds."""
