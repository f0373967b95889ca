int tally(const char *text) { int n = 0; while (*text) n += *text++ == ' '; return n; }
