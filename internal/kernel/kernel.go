package kernel

import (
	"encoding/json"

	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"gaze/internal/jupyter"
)

// Config is what a kernel is started with.
type Config struct {
	ConnectionFile string    // where the sockets are, from Jupyter
	Root           string    // the clone, whose packages are the project's own
	GoNB           string    // the program
	Arguments      []string  // its arguments besides the connection file
	Guard          string    // this program's argument that calls [Guard]; empty for no guard
	Log            io.Writer // nil for no log
	Version        string    // of Go
}

// Kernel is a kernel. Set Comms and Completer, if there are any, and call Handle before Run.
type Kernel struct {
	Comms     Comms
	Completer Completer

	config   Config
	folder   string
	server   *jupyter.Server
	listener *net.UnixListener
	out      *output
	guard    *guard
	shutdown chan struct{} // closed to end Run
	ending   sync.Once

	queue queue
	comms chan func()

	// Only the goroutine that runs cells uses these.
	places    *places
	restarted bool // GoNB was started again, and no cell has been compiled since
	started   int
	count     int

	mu       sync.Mutex // guards what follows
	handlers map[string]func(json.RawMessage, *Conn)
	cell     *cell // that is run
	gonb     *gonb // nil before the first
	input    func(content json.RawMessage)
	logMu    sync.Mutex
}

// New opens a kernel's sockets, so that Jupyter sees it. [Kernel.Run] starts the rest.
func New(config Config) (*Kernel, error) {
	c, err := jupyter.ReadConnection(config.ConnectionFile)
	if err != nil {
		return nil, err
	}
	k := &Kernel{config: config, shutdown: make(chan struct{}), handlers: map[string]func(json.RawMessage, *Conn){},
		places: &places{}, comms: make(chan func(), 10000)}
	k.queue.init()
	if k.folder, err = privateFolder(); err != nil {
		return nil, err
	}
	if err := k.open(c); err != nil {
		os.RemoveAll(k.folder)
		return nil, err
	}
	k.Handle("saving", k.serveSaving)
	return k, nil
}

// privateFolder makes a folder that only the user can enter. Paths of sockets must be
// short, which the user's folder for temporary files may not allow.
func privateFolder() (string, error) {
	parent := os.TempDir()
	if _, err := os.Stat(parent); err != nil { // TMPDIR names a folder that isn't there (any more)
		os.Unsetenv("TMPDIR") // the go command needs one, too
		parent = os.TempDir()
	}
	if len(parent) > 40 {
		parent = "/tmp"
	}
	folder, err := os.MkdirTemp(parent, "gaze-kernel-")
	if err != nil {
		return "", fmt.Errorf("the kernel's folder: %w", err)
	}
	return folder, nil
}

// open opens the sockets and starts the guard.
func (k *Kernel) open(c jupyter.Connection) (err error) {
	if k.config.Guard != "" {
		if k.guard, err = startGuard(k.config.Guard); err != nil {
			return fmt.Errorf("starting the kernel's guard: %w", err)
		}
		k.guard.tell("folder", k.folder)
		k.guard.tell("socket", k.socketPath())
	}
	k.listener, err = net.ListenUnix("unix", &net.UnixAddr{Name: k.socketPath(), Net: "unix"})
	if err != nil {
		return fmt.Errorf("the kernel's own socket: %w", err)
	}
	ready := make(chan struct{}) // requests wait until the kernel is complete
	defer close(ready)
	k.server, err = jupyter.Listen(c, func(channel jupyter.Channel, m *jupyter.Message) {
		<-ready
		k.receive(channel, m)
	}, k.logf)
	if err != nil {
		k.listener.Close()
		return err
	}
	k.out = newOutput(k.server.Publish)
	return nil
}

// Folder implements [Host].
func (k *Kernel) Folder() string { return k.folder }

// Socket is the path of the kernel's own socket. A process that has it in SocketVariable
// ends with the kernel, however that ends.
func (k *Kernel) Socket() string { return k.socketPath() }

func (k *Kernel) socketPath() string { return filepath.Join(k.folder, "socket") }

// Connection returns the connection with its ports.
func (k *Kernel) Connection() jupyter.Connection { return k.server.Connection() }

// Publish implements [Publisher].
func (k *Kernel) Publish(parent *jupyter.Message, msgType string, content, metadata any, buffers ...[]byte) error {
	return k.out.message(parent, msgType, content, metadata, buffers...)
}

// Running implements [Host].
func (k *Kernel) Running() Cell {
	if c := k.current(); c != nil {
		return c
	}
	return nil
}

func (k *Kernel) current() *cell {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.cell
}

// running returns the GoNB whose process is there, or nil.
func (k *Kernel) running() *gonb {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.gonb == nil || k.gonb.pid == 0 {
		return nil
	}
	select {
	case <-k.gonb.dead:
		return nil
	default:
		return k.gonb
	}
}

// Run serves requests until Jupyter asks for the end or the process gets SIGTERM. All
// processes of the kernel have ended and its folders are gone when it returns.
func (k *Kernel) Run() {
	signals := make(chan os.Signal, 10)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	go func() {
		for s := range signals {
			if s == os.Interrupt {
				k.interrupt("")
			} else {
				k.end()
			}
		}
	}()
	go k.acceptConnections()
	k.Publish(nil, "status", state("starting"), nil)
	ended := make(chan struct{})
	go func() {
		k.runCells()
		close(ended)
	}()
	go func() {
		for do := range k.comms {
			do()
		}
	}()
	<-k.shutdown
	k.close(ended)
}

// end makes Run return.
func (k *Kernel) end() { k.ending.Do(func() { close(k.shutdown) }) }

// saveLimit is how long a program that saves may delay the kernel's end.
const saveLimit = 4 * time.Second

// close ends everything. A running cell is interrupted first, so that it can save.
func (k *Kernel) close(ended chan struct{}) {
	k.queue.close()
	if c := k.current(); c != nil {
		c.interrupt("the kernel was shut down")
		select {
		case <-ended:
		case <-time.After(saveLimit):
		}
	}
	if g := k.running(); g != nil {
		g.kill()
		<-g.dead
	}
	k.listener.Close()
	k.out.flush()
	k.server.Close(time.Second)
	k.guard.end()
	os.RemoveAll(k.folder)
}

// interrupt interrupts the running cell, if there is one.
func (k *Kernel) interrupt(reason string) {
	if c := k.current(); c != nil {
		c.interrupt(reason)
	}
}

// serveSaving serves {"do":"saving"}: until the connection ends, the program isn't killed
// after an interruption.
func (k *Kernel) serveSaving(_ json.RawMessage, conn *Conn) {
	c := k.current()
	if c == nil {
		return
	}
	c.saves(1)
	io.Copy(io.Discard, conn.Reader)
	c.saves(-1)
}

// awaitInput remembers that GoNB waits for the answer to a request for input.
func (k *Kernel) awaitInput(g *gonb, request *jupyter.Message) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.input = func(content json.RawMessage) {
		g.client.Answer(jupyter.Stdin, request, "input_reply", content, nil)
	}
}

// deliverInput passes a client's input on.
func (k *Kernel) deliverInput(m *jupyter.Message) {
	k.mu.Lock()
	input := k.input
	k.input = nil
	k.mu.Unlock()
	if input != nil && m.Header.Type == "input_reply" {
		input(m.Content)
	}
}

func killGroup(pid int) { syscall.Kill(-pid, syscall.SIGKILL) }

// state is the content of a status message.
func state(name string) map[string]string { return map[string]string{"execution_state": name} }

// logf writes a line to the log.
func (k *Kernel) logf(format string, args ...any) {
	if k.config.Log != nil {
		k.logMu.Lock()
		defer k.logMu.Unlock()
		fmt.Fprintf(k.config.Log, "gaze-kernel: "+format+"\n", args...)
	}
}
