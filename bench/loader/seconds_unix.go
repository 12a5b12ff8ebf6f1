//go:build unix

package main

import "syscall"

// seconds returns the processor time of this process, including garbage collection and
// system calls.
func seconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // only possible with a wrong argument
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
