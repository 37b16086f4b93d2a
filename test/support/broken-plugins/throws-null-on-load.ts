// Not even an Error: whoever catches it must not trip over it.
throw null;
