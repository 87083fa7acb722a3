"""What one person, one channel or one text must not be able to do, by kind of fault."""
