package cells

import (
	"encoding/gob"
	"os"
	"sync"

	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// relay passes messages of gonbui's own widgets, and requests for input, to GoNB, as if the
// program had been started by it. It is opened when the first one comes.
type relay struct {
	show          *show
	to, from      string // paths of GoNB's pipes
	mu            sync.Mutex
	writer        *os.File
	reader        *os.File
	encoder       *gob.Encoder
	failed, ended bool
}

func newRelay(s *show, env []string) *relay {
	return &relay{show: s, to: value(env, protocol.GONB_PIPE_ENV), from: value(env, protocol.GONB_PIPE_BACK_ENV)}
}

// send passes a message to GoNB.
func (r *relay) send(d *protocol.DisplayData) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed || r.ended {
		return
	}
	if r.encoder == nil && !r.open() {
		return
	}
	if err := r.encoder.Encode(d); err != nil {
		r.fail(err)
	}
}

func (r *relay) open() bool {
	w, err := os.OpenFile(r.to, os.O_WRONLY, 0)
	if err != nil {
		r.fail(err)
		return false
	}
	r.writer, r.encoder = w, gob.NewEncoder(w)
	go r.listen()
	return true
}

// listen passes on what GoNB answers.
func (r *relay) listen() {
	f, err := os.OpenFile(r.from, os.O_RDONLY, 0)
	r.mu.Lock()
	if err != nil || r.ended {
		if err == nil {
			f.Close()
		}
		r.mu.Unlock()
		return
	}
	r.reader = f
	r.mu.Unlock()
	decoder := gob.NewDecoder(f)
	for {
		v := &protocol.CommValue{}
		if decoder.Decode(v) != nil {
			return
		}
		r.mu.Lock()
		if !r.ended {
			r.show.reply(v)
		}
		r.mu.Unlock()
	}
}

func (r *relay) fail(err error) {
	r.failed = true
	r.show.runner.log("a cell's widgets: %v", err)
}

func (r *relay) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	for _, f := range []*os.File{r.writer, r.reader} {
		if f != nil {
			f.Close()
		}
	}
}
