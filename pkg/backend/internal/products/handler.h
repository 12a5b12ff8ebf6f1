#ifndef GAZE_HANDLER_H
#define GAZE_HANDLER_H

#include <stdbool.h>

// gaze_register tells a plugin, by its table of functions, of the target gaze_product.
// False when it can't be told.
bool gaze_register(const void* pjrt_api, int threads);

#endif
