"""Operations: the `forecast` command."""
