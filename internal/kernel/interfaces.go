// Package kernel is the kernel that Jupyter talks to. It owns Jupyter's sockets, keeps one
// GoNB behind it that turns cells into programs, and relays between the two: it queues
// requests, answers what GoNB doesn't, and says honestly how a cell ended.
package kernel

import (
	"encoding/json"
	"os"

	"gaze/internal/jupyter"
)

// SocketVariable names the environment variable with the path of the kernel's Unix socket.
// GoNB and every process below it inherit it. The first line of a connection is a JSON
// object {"do":"NAME", …}; see [Kernel.Handle].
const SocketVariable = "GAZE_KERNEL_SOCKET"

// Publisher publishes messages on iopub, where every client sees them.
type Publisher interface {
	// Publish sends a message of a type. parent is the request that it belongs to; nil
	// gives an empty parent header. content and metadata are marshalled to JSON unless they
	// are a json.RawMessage; a nil metadata is {}. Output of a cell that was published
	// before appears before it.
	Publish(parent *jupyter.Message, msgType string, content, metadata any, buffers ...[]byte) error
}

// Comms serves the comms of a target that the kernel itself implements, such as
// "jupyter.widget". Comms of other targets are GoNB's.
type Comms interface {
	// Open, Msg and Close serve comm_open, comm_msg and comm_close. They are called one
	// after another, while a cell runs too, so they must not wait for a cell. Whatever they
	// publish has the message as its parent.
	Open(m *jupyter.Message) error
	Msg(m *jupyter.Message) error
	Close(m *jupyter.Message) error
	// Info returns the open comms of a target (all for ""), as comm_info_reply has them:
	// {id: {"target_name": target}}.
	Info(target string) map[string]any
	// Has says whether an open comm is one of these. Messages to others go to GoNB.
	Has(id string) bool
	// Serves says whether a target is one of these.
	Serves(target string) bool
	// Begin is told of each execute_request when its turn has come.
	Begin(m *jupyter.Message)
	// Shutdown ends what belongs to the comms. restart says that the kernel will be started
	// again for the same clients.
	Shutdown(restart bool) error
}

// Completer answers completion and inspection. Each method but Observe is called with the
// whole text of a cell and a cursor in Unicode characters, concurrently and while cells
// run. A false result means that it doesn't know; the kernel then asks GoNB.
type Completer interface {
	Complete(code string, cursor int) (Completions, bool)
	Inspect(code string, cursor, detail int) (Inspection, bool)
	// Observe is told of each cell that was run, after it ended, and whether GoNB kept its
	// declarations for later cells, as it does if the cell compiled. It must return at once.
	Observe(code string, ok bool)
	// Forget is called when GoNB was started again and all declarations are gone.
	Forget()
}

// Completions are the content of a complete_reply.
type Completions struct {
	Matches []string // complete texts for the range
	Start   int      // of the range that a match replaces, in Unicode characters
	End     int
	// Metadata is that of the reply, such as _jupyter_types_experimental; nil for none.
	Metadata map[string]any
}

// Inspection is the content of an inspect_reply.
type Inspection struct {
	Found bool
	Data  map[string]any // by MIME type
}

// Status is how a cell's program ended.
type Status struct {
	Code   int       // the exit code, if Signal is nil
	Signal os.Signal // the signal that ended it
}

// Program is a running program of a cell that something other than GoNB has started.
type Program interface {
	// Interrupt sends the program SIGINT.
	Interrupt()
	// Kill ends the program and what it has started.
	Kill()
}

// Cell is the execute_request that is being run, for what runs its program in place of
// GoNB. Its methods may be called concurrently.
type Cell interface {
	// Message is the execute_request; it is the parent of what the cell publishes.
	Message() *jupyter.Message
	// Count is the cell's execution count, the N of [N].
	Count() int
	// Stdout and Stderr append output. They return when the output was taken over, which
	// takes time when clients are slow: back-pressure for the program.
	Stdout(p []byte)
	Stderr(p []byte)
	// Publish sends another message, such as display_data, after all output before it.
	Publish(msgType string, content, metadata any, buffers ...[]byte) error
	// Started says that a program runs for the cell, which an interruption is for.
	Started(p Program)
	// Ended says how the program ended. If it's never called, the kernel goes by what GoNB
	// prints.
	Ended(status Status)
}

// Host is what the kernel offers to those who serve parts of it; [Kernel] is one.
type Host interface {
	Publisher
	// Handle registers what serves connections to the socket whose first line has "do":
	// name. hello is that line. serve runs in a goroutine of its own; the kernel closes the
	// connection when it returns. Call it before Run.
	Handle(name string, serve func(hello json.RawMessage, conn *Conn))
	// Running returns the cell that is being run, or nil.
	Running() Cell
	// Folder is the kernel's private folder (0700), which is removed at the end.
	Folder() string
}
