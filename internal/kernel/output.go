package kernel

import (
	"sync"
	"time"
	"unicode/utf8"

	"gaze/internal/jupyter"
)

const (
	outputEvery = 50 * time.Millisecond // at most this often, output is sent
	outputChunk = 1 << 20               // bytes of text in a message
	outputLimit = 4 << 20               // bytes that wait before a writer waits
)

// output sends what cells print. Text is collected for a short time, so that a cell that
// prints a lot doesn't drown its clients in messages; the order of stdout, stderr and
// everything else is kept.
type output struct {
	publish func(parent *jupyter.Message, msgType string, content, metadata any, buffers ...[]byte) error

	sending sync.Mutex // held while something is sent; taken before mu

	mu      sync.Mutex
	room    sync.Cond // signals that text was taken
	text    []printed
	size    int
	rest    map[string][]byte // the begun character at the end of each stream
	sent    time.Time
	waiting bool // a timer will send what is there
}

// printed is text of a cell on a stream.
type printed struct {
	parent *jupyter.Message
	stream string // stdout or stderr
	text   []byte
}

func newOutput(publish func(*jupyter.Message, string, any, any, ...[]byte) error) *output {
	o := &output{publish: publish, rest: map[string][]byte{}}
	o.room.L = &o.mu
	return o
}

// print appends text. It waits while too much is waiting. The first text after a pause is
// sent at once.
func (o *output) print(parent *jupyter.Message, stream string, text []byte) {
	if len(text) == 0 {
		return
	}
	o.mu.Lock()
	for o.size > outputLimit {
		o.room.Wait()
	}
	text = o.whole(stream, text)
	if n := len(o.text); n > 0 && o.text[n-1].stream == stream && o.text[n-1].parent == parent {
		o.text[n-1].text = append(o.text[n-1].text, text...)
	} else if len(text) > 0 {
		o.text = append(o.text, printed{parent, stream, text})
	}
	o.size += len(text)
	since := time.Since(o.sent)
	now := since >= outputEvery || o.size >= outputChunk
	if !now && !o.waiting && o.size > 0 {
		o.waiting = true
		time.AfterFunc(outputEvery-since, o.flush)
	}
	o.mu.Unlock()
	if now {
		o.flush()
	}
}

// crowded says that so much waits that a writer will soon wait, too.
func (o *output) crowded() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.size > outputLimit/2
}

// whole returns text with the begun character of the text before, and keeps the one that
// it ends with. The result doesn't share memory with text.
func (o *output) whole(stream string, text []byte) []byte {
	text = append(o.rest[stream], text...)
	n := len(text)
	for i := 1; i < utf8.UTFMax && i <= n; i++ {
		if b := text[n-i]; utf8.RuneStart(b) {
			if b >= utf8.RuneSelf && !utf8.FullRune(text[n-i:]) {
				n -= i
			}
			break
		}
	}
	o.rest[stream] = append([]byte(nil), text[n:]...)
	return text[:n:n]
}

// flush sends the text that is there.
func (o *output) flush() {
	o.sending.Lock()
	defer o.sending.Unlock()
	o.flushLocked()
}

func (o *output) flushLocked() {
	o.mu.Lock()
	text := o.text
	o.text, o.size, o.waiting = nil, 0, false
	o.sent = time.Now()
	o.room.Broadcast()
	o.mu.Unlock()
	for _, part := range text {
		for len(part.text) > 0 {
			n := cut(part.text)
			o.publish(part.parent, "stream", map[string]string{"name": part.stream, "text": string(part.text[:n])}, nil)
			part.text = part.text[n:]
		}
	}
}

// cut returns how much of a text fits into a message, which ends with a whole character.
func cut(text []byte) int {
	if len(text) <= outputChunk {
		return len(text)
	}
	n := outputChunk
	for i := 0; i < utf8.UTFMax && !utf8.RuneStart(text[n]); i++ {
		n--
	}
	return n
}

// message sends anything else, after the text before it.
func (o *output) message(parent *jupyter.Message, msgType string, content, metadata any, buffers ...[]byte) error {
	o.sending.Lock()
	defer o.sending.Unlock()
	o.flushLocked()
	return o.publish(parent, msgType, content, metadata, buffers...)
}

// end sends everything, also characters that were begun and not ended.
func (o *output) end(parent *jupyter.Message) {
	o.mu.Lock()
	for _, stream := range []string{"stdout", "stderr"} {
		if rest := o.rest[stream]; len(rest) > 0 {
			o.text = append(o.text, printed{parent, stream, rest})
		}
	}
	clear(o.rest)
	o.mu.Unlock()
	o.flush()
}
