// What Go and C have to agree on: Go writes custom calls into XLA's programs, C runs them.
// This file is the only place where these numbers are set. contract.go is generated from it:
//
//	go test ./internal/xla/kernels -regen
//
// Every custom call takes float32 arrays and one attribute, an array of int64. Constants
// called ATTR are indices into that array. An epsilon is passed as the bits of a float64.
#ifndef GAZE_CONTRACT_H
#define GAZE_CONTRACT_H

// The kernels. The target of a kernel's custom call is its name with this prefix.
#define GAZE_TARGET_PREFIX "gaze_"
#define GAZE_DOT "dot"
#define GAZE_LINEAR "linear"
#define GAZE_ATTENTION "attention"
#define GAZE_NORM "norm"
#define GAZE_CONVOLUTION "convolution"

// A dot is StableHLO's dot_general. Its attributes are the number of batch axes, those of the
// left operand, those of the right one, the number of contracted axes, and again both lists.
#define GAZE_MAX_RANK 8 // of either operand

// A linear layer computes (f(x)·weightᵀ + bias)·scale + residual, where f is a layer norm or
// an activation function.
#define GAZE_LINEAR_ATTR_KIND 0
#define GAZE_LINEAR_ATTR_ACTIVATION 1
#define GAZE_LINEAR_ATTR_FLAGS 2
#define GAZE_LINEAR_ATTR_EPSILON 3 // of the layer norm
#define GAZE_LINEAR_ATTRS 4

// The kinds of a linear layer's call, with their operands and results:
//
//	forward          x [rows, in], weight [out, in], and by the flags bias [out], scale [out],
//	                 gamma and beta [in], residual [rows, out], in this order;
//	                 gives [rows, out]
//	input gradient   gradient [rows, out], weight [out, in], and with an activation function
//	                 its input x [rows, in];
//	                 gives the gradient for x [rows, in], and with an activation f(x)
//	weight gradient  gradient [rows, out], f(x) [rows, in];
//	                 gives the gradients for weight [out, in] and bias [out]
#define GAZE_LINEAR_FORWARD 0
#define GAZE_LINEAR_INPUT_GRADIENT 1
#define GAZE_LINEAR_WEIGHT_GRADIENT 2

// The flags of a forward call.
#define GAZE_LINEAR_HAS_BIAS 1
#define GAZE_LINEAR_HAS_NORM 2
#define GAZE_LINEAR_HAS_RESIDUAL 4
#define GAZE_LINEAR_IS_PACKED 8 // the weight was packed by gaze_prepack_b, see GAZE_PACKED_MULTIPLE
#define GAZE_LINEAR_HAS_SCALE 16
#define GAZE_LINEAR_HAS_FEW_ROWS 32 // the weight should be read as it is
#define GAZE_LINEAR_ACTIVATES_RESULT 64 // the activation function is applied to the result, and not to x

// The activation functions.
#define GAZE_ACTIVATION_NONE 0
#define GAZE_ACTIVATION_GELU 1       // x·Φ(x)
#define GAZE_ACTIVATION_GELU_TANH 2  // GELU, approximated by tanh
#define GAZE_ACTIVATION_QUICK_GELU 3 // x·sigmoid(1.702x)

// Self-attention takes qkv [batch, tokens, 3*heads*dim] and gives the output of the first
// queries [batch, queries, heads*dim]. With the gradient for the output as a second operand,
// it gives the gradient for qkv.
#define GAZE_ATTENTION_ATTR_HEADS 0
#define GAZE_ATTENTION_ATTR_QUERIES 1
#define GAZE_ATTENTION_ATTRS 2

// Layer norm takes x [rows, n], gamma [n] and beta [n]. With three results, the third operand
// is the gradient for the output [rows, n], and the results are those for x, gamma and beta.
#define GAZE_NORM_ATTR_EPSILON 0
#define GAZE_NORM_ATTRS 1

// A convolution takes pictures x [batch, rows, columns, in], a kernel [kernel rows, kernel
// columns, in, out], and by the flags scale [out], shift [out], and residual [batch, rows out,
// columns out, out], in this order. It gives conv(x, kernel)*scale + shift + residual, or the
// maximum of that and 0. What lies outside of a picture is zero. The attributes are the distance
// between positions of the kernel, that between its elements, and the rows above and the columns
// left of the picture that the first position includes.
#define GAZE_CONVOLUTION_ATTR_STRIDE 0
#define GAZE_CONVOLUTION_ATTR_DILATION 1
#define GAZE_CONVOLUTION_ATTR_TOP 2
#define GAZE_CONVOLUTION_ATTR_LEFT 3
#define GAZE_CONVOLUTION_ATTR_FLAGS 4
#define GAZE_CONVOLUTION_ATTRS 5

// The flags of a convolution.
#define GAZE_CONVOLUTION_HAS_SCALE 1
#define GAZE_CONVOLUTION_HAS_SHIFT 2
#define GAZE_CONVOLUTION_HAS_RESIDUAL 4
#define GAZE_CONVOLUTION_HAS_RELU 8  // negative results become 0
#define GAZE_CONVOLUTION_IS_PACKED 16 // the kernel was packed as a matrix of out columns, a multiple of GAZE_PACKED_MULTIPLE, by gaze_prepack_b

// Packed weights are [out, in] with out rounded up to a multiple of this, which is one of every
// set's vectors.
#define GAZE_PACKED_MULTIPLE 16

#endif
