//go:build !unix

package main

import "time"

var started = time.Now()

// seconds returns the wall-clock time, because processor time isn't available here.
func seconds() float64 { return time.Since(started).Seconds() }
