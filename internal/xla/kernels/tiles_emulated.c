//go:build cgo && linux && !noxla && amd64

// tiles.c once more, for tests, with its instructions written out.

#define gaze_tiles_ready gaze_emulated_ready
#define gaze_in_tiles gaze_in_emulated_tiles
#define GAZE_EMULATED

#include "tiles.c"
