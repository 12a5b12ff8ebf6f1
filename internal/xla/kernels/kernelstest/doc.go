// Package kernelstest runs the kernels without XLA, on threads of its own, and an emulation of
// AMX on processors that don't have it. It exists because cgo can't be used in test files; only
// tests import it.
package kernelstest
