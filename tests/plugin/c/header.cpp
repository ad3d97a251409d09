#include "header.c"  // NOLINT(bugprone-suspicious-include)
