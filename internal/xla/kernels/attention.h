// Multi-head self-attention and its gradient.
#ifndef GAZE_ATTENTION_H
#define GAZE_ATTENTION_H

#include <stdint.h>

// qkv [batch, tokens, 3*heads*dim] holds the queries, keys and values of each token, each
// [heads, dim]. Scores are divided by the square root of dim. The output is computed for the
// first queries tokens of each image.
typedef struct {
	const float* qkv;
	int64_t batch, tokens, heads, dim, queries;
	float* out;        // [batch, queries, heads*dim]
	const float* dout; // [batch, queries, heads*dim]: the gradient for out
	float* dqkv;       // [batch, tokens, 3*heads*dim]
} attention;

#endif
