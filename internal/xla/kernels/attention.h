// Multi-head self-attention, and its gradient.
#ifndef GAZE_ATTENTION_H
#define GAZE_ATTENTION_H

#include <stdint.h>

#include "team.h"

// Queries, keys and values stand side by side in qkv [batch, tokens, 3*heads*dim], each
// [heads, dim] for a token. Scores are divided by the square root of dim. Only the first
// so many queries of each picture are looked at.
typedef struct {
	const float* qkv;
	int64_t batch, tokens, heads, dim, queries;
	float* mixed;          // [batch, queries, heads*dim]: the result
	const float* gradient; // [batch, queries, heads*dim]: with respect to the result
	float* qkv_gradient;   // [batch, tokens, 3*heads*dim]
} attention;

// gaze_attend sets mixed. False means that memory ran out.
bool gaze_attend(const scheduler* s, const attention* a);

// gaze_attend_back sets qkv_gradient, for which it needs gradient, and not mixed.
// False means that memory ran out.
bool gaze_attend_back(const scheduler* s, const attention* a);

#endif
