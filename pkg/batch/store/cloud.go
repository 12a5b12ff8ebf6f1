package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"gaze/internal/environ"
)

// cloudProgram is the program that has the drivers of buckets. They are as large as the rest
// of Gaze, so they are a program of their own.
const cloudProgram = "gaze-cloud"

// cloudVariable names the program, if it isn't beside this one or on the PATH.
const cloudVariable = "GAZE_CLOUD"

// cloudProcess is the running gaze-cloud: one for a process, started when the first bucket
// is opened. It ends when its standard input does, thus with this process.
var cloudProcess struct {
	sync.Mutex
	client *http.Client
}

// cloud returns a client whose requests go to gaze-cloud.
func cloud(ctx context.Context, scheme string) (*http.Client, error) {
	p := &cloudProcess
	p.Lock()
	defer p.Unlock()
	if p.client != nil {
		return p.client, nil
	}
	program, err := findCloud()
	if err != nil {
		return nil, fmt.Errorf("%s:// needs the program %s: %w", scheme, cloudProgram, err)
	}
	socket, err := startCloud(program)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", program, err)
	}
	p.client = newClient(func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	})
	return p.client, ctx.Err()
}

// findCloud looks for gaze-cloud.
func findCloud() (string, error) {
	if path, err := environ.Existing(cloudVariable); path != "" || err != nil {
		return path, err
	}
	if self, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		if beside := filepath.Join(filepath.Dir(self), cloudProgram); isProgram(beside) {
			return beside, nil
		}
	}
	path, err := exec.LookPath(cloudProgram)
	if err != nil {
		return "", fmt.Errorf("it is neither beside this program nor on the PATH: build it with 'make cloud', or name it in %s", cloudVariable)
	}
	return path, nil
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// startCloud starts the program, waits until it listens, and returns the path of its socket.
// It is asked to remove the socket's folder when it ends.
func startCloud(program string) (socket string, err error) {
	dir, err := socketFolder()
	if err != nil {
		return "", err
	}
	socket = filepath.Join(dir, "s")
	cmd := exec.Command(program, "serve", socket)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = ownGroup() // an interrupt of this process ends it through its input
	in, err := cmd.StdinPipe()
	if err == nil {
		var out interface{ Read([]byte) (int, error) }
		out, err = cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err == nil {
			line, _ := bufio.NewReader(out).ReadString('\n')
			if strings.TrimSpace(line) != "ready" {
				in.Close()
				err = fmt.Errorf("it doesn't start (%v)", cmd.Wait())
			}
		}
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	keep = append(keep, in)
	return socket, nil
}

// keep holds the standard input of gaze-cloud open until this process ends.
var keep []any

// maxSocket is the longest path of a socket that all systems allow.
const maxSocket = 100

// socketFolder makes a folder for a socket that only this user can enter.
func socketFolder() (string, error) {
	dir, err := os.MkdirTemp("", "gaze-cloud-")
	if err == nil && len(dir) > maxSocket-2 {
		os.Remove(dir)
		dir, err = os.MkdirTemp("/tmp", "gaze-cloud-")
	}
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w: name a folder that can be written in TMPDIR", err)
	}
	return dir, err
}
