package kernel

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"gaze/internal/jupyter"
)

// TestHardEnd: nothing is left of a kernel that was killed.
func TestHardEnd(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux's table of processes")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "kernel-1.json")
	c := jupyter.Connection{Transport: "ipc", IP: filepath.Join(dir, "s"), Shell: 1, Control: 2, Stdin: 3, IOPub: 4, Heartbeat: 5}
	if err := c.Write(file); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestHardEndChild$")
	cmd.Env = append(os.Environ(), "KERNEL_TEST_CHILD="+file, "KERNEL_TEST_FAKE=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	replies := make(chan *jupyter.Message, 10)
	client, err := jupyter.Dial(ctx, c, func(_ jupyter.Channel, m *jupyter.Message) { replies <- m }, func(*jupyter.Message) {}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	client.Send(jupyter.Shell, "execute_request", map[string]any{"code": "%%\n"}, nil)
	<-replies // GoNB is there
	folder, err := os.ReadFile(file + ".folder")
	if err != nil {
		t.Fatal(err)
	}
	stubborn := exec.Command("sh", "-c", "trap '' INT TERM HUP; while :; do sleep 1; done")
	stubborn.Env = append(os.Environ(), SocketVariable+"="+filepath.Join(string(folder), "socket"))
	if err := stubborn.Start(); err != nil {
		t.Fatal(err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	gone := make(chan struct{})
	go func() {
		stubborn.Wait()
		close(gone)
	}()
	select {
	case <-gone:
	case <-time.After(limit):
		t.Error("a program that has inherited the kernel's socket still runs")
	}
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		_, err := os.Stat(string(folder))
		below := 0
		for _, p := range processes() {
			if data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid)); strings.Contains(string(data), string(folder)) {
				below++
			}
		}
		if os.IsNotExist(err) && below == 0 {
			break
		}
		if time.Since(start) > limit {
			t.Fatalf("left: folder %v, %d processes", err, below)
		}
	}
}

// TestHardEndChild is the kernel that TestHardEnd kills.
func TestHardEndChild(t *testing.T) {
	file := os.Getenv("KERNEL_TEST_CHILD")
	if file == "" {
		t.Skip("run by TestHardEnd")
	}
	k, err := New(Config{ConnectionFile: file, GoNB: os.Args[0], Guard: "-guard"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+".folder", []byte(k.folder), 0o600); err != nil {
		t.Fatal(err)
	}
	k.Run()
}
