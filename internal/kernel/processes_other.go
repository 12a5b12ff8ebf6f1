//go:build !linux

package kernel

import "syscall"

// Without Linux's table of processes only GoNB's group is known. GoNB passes an
// interruption on to its program.

func ticks() uint64 { return 0 }

// signalAll interrupts by GoNB; killing what it has started ends GoNB, too.
func signalAll(gonb int, _ uint64, s syscall.Signal, but map[int]bool) []int {
	if but[gonb] {
		return nil
	}
	if s == syscall.SIGINT {
		syscall.Kill(gonb, s)
		return []int{gonb}
	}
	if s == syscall.SIGKILL {
		syscall.Kill(-gonb, s)
	}
	return nil
}

func killInheritors(_, _ string) {}
