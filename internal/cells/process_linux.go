package cells

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"syscall"
)

// startWaiting starts a host that waits for a cell.
func startWaiting(host hostProgram, env []string) (*process, error) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "host"), os.NewFile(uintptr(pair[1]), "kernel")
	defer ours.Close()
	defer theirs.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(host.path, "-wait")
	cmd.Env, cmd.ExtraFiles, cmd.Stderr = env, []*os.File{theirs}, os.Stderr
	p, err := start(cmd)
	if err != nil {
		conn.Close()
		return nil, err
	}
	p.control, p.host, p.env = conn.(*net.UnixConn), host, env
	return p, nil
}

// peer returns the process at the other end of a connection.
func peer(conn *net.UnixConn) (int, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var who *syscall.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		who, failed = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err := errors.Join(err, failed); err != nil {
		return 0, err
	}
	return int(who.Pid), nil
}
