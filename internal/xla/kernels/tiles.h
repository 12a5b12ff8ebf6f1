// Products of float32 matrices on AMX tiles: see tiles.c.
#ifndef GAZE_TILES_H
#define GAZE_TILES_H

#include "product.h"

// gaze_tiles_ready says whether this processor has AMX tiles for bfloat16, and asks
// the system to let this process use them.
bool gaze_tiles_ready(void);

// gaze_in_tiles makes a product. It is to be called only when tiles are ready. False
// means that memory ran out.
bool gaze_in_tiles(const scheduler* s, const product* p);

#endif
