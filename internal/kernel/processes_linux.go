package kernel

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// process is a line of the table of processes.
type process struct {
	pid, parent, group int
	name               string
	started            uint64 // in clock ticks since the machine was started
}

// processes lists the machine's processes.
func processes() []process {
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	var list []process
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state ppid pgrp …; the name may contain anything
		open, end := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
		if open < 0 || end < open {
			continue
		}
		fields := strings.Fields(string(data[end+1:]))
		if len(fields) < 20 || fields[0] == "Z" {
			continue
		}
		p := process{name: string(data[open+1 : end])}
		p.pid, _ = strconv.Atoi(strings.TrimSpace(string(data[:open])))
		p.parent, _ = strconv.Atoi(fields[1])
		p.group, _ = strconv.Atoi(fields[2])
		p.started, _ = strconv.ParseUint(fields[19], 10, 64)
		list = append(list, p)
	}
	return list
}

// ticks is the time as processes' starts are given.
func ticks() uint64 {
	data, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0
	}
	seconds, _, _ := strings.Cut(string(data), " ")
	whole, part, _ := strings.Cut(seconds, ".")
	s, _ := strconv.ParseUint(whole, 10, 64)
	h, _ := strconv.ParseUint(part, 10, 64)
	return 100*s + h // Linux reports 100 ticks a second on every machine
}

// startedBy lists the processes that GoNB, with this id, has started since a time: those
// below it and those of its group, but not gopls.
func startedBy(gonb int, since uint64) []int {
	list := processes()
	below := map[int]bool{gonb: true}
	for grown := true; grown; {
		grown = false
		for _, p := range list {
			if !below[p.pid] && p.name != "gopls" && (below[p.parent] || p.group == gonb) {
				below[p.pid], grown = true, true
			}
		}
	}
	var pids []int
	for _, p := range list {
		if below[p.pid] && p.pid != gonb && p.started >= since {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// signalAll sends a signal to what GoNB has started since a time, and returns whom.
func signalAll(gonb int, since uint64, s syscall.Signal, but map[int]bool) []int {
	var sent []int
	for _, pid := range startedBy(gonb, since) {
		if !but[pid] && syscall.Kill(pid, s) == nil {
			sent = append(sent, pid)
		}
	}
	return sent
}

// killInheritors kills every process that has inherited an environment variable.
func killInheritors(variable, value string) {
	want := []byte(variable + "=" + value)
	paths, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for _, entry := range bytes.Split(data, []byte{0}) {
			if bytes.Equal(entry, want) {
				if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && pid != os.Getpid() {
					syscall.Kill(pid, syscall.SIGKILL)
				}
				break
			}
		}
	}
}
