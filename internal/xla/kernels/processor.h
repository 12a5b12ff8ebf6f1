// What the processor can do.
#ifndef GAZE_PROCESSOR_H
#define GAZE_PROCESSOR_H

#include <stdbool.h>

#include "kernel_set.h"

// gaze_processor_runs says whether the processor and the system support a set's instructions.
bool gaze_processor_runs(const kernel_set* set);

#endif
