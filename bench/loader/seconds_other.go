//go:build !unix

package main

import "time"

var started = time.Now()

// seconds is the time on the wall where there is no other.
func seconds() float64 { return time.Since(started).Seconds() }
