// Package products makes XLA multiply float32 matrices with a processor's AMX tiles,
// where it has them, at about twice the speed of its vectors and no less exactly: see
// product.c. A program's dot_generals become custom calls before a PJRT plugin for the
// CPU compiles it.
package products

// Env is the environment variable that, when it is "off", leaves products to XLA.
const Env = "GAZE_TILES"
