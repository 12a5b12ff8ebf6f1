// Settings of the C library's malloc.
#ifndef GAZE_HEAP_H
#define GAZE_HEAP_H

#include <stdbool.h>

// gaze_keep_heap makes malloc keep what is freed, for the rest of the process. It returns
// false if the C library isn't glibc or the user's environment sets malloc already.
bool gaze_keep_heap(void);

#endif
