package completion

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strconv"
	"sync"
)

// errClosed is the error of every call after the other side has gone.
var errClosed = errors.New("the language server has ended")

// maxMessage is the longest message that is read. The longest lists of gopls have under 1 MB.
const maxMessage = 64 << 20

// conn is one side of a connection that speaks JSON-RPC 2.0 with the Language Server
// Protocol's headers: calls with their answers, and notifications. The server's own calls get
// an answer that grants nothing; its notifications are dropped.
type conn struct {
	w  io.WriteCloser
	wg sync.WaitGroup // the reading goroutine

	writing sync.Mutex

	mu      sync.Mutex
	next    int64
	pending map[int64]chan reply
	ended   chan struct{}
}

// reply is the answer to a call.
type reply struct {
	result json.RawMessage
	err    error
}

// message is any JSON-RPC message. An answer has an id and no method, a notification the
// reverse, a call both.
type message struct {
	Version string           `json:"jsonrpc"`
	ID      *json.RawMessage `json:"id,omitempty"`
	Method  string           `json:"method,omitempty"`
	Params  json.RawMessage  `json:"params,omitempty"`
	Result  json.RawMessage  `json:"result,omitempty"`
	Error   *rpcError        `json:"error,omitempty"`
}

// rpcError is the error object of an answer.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *rpcError) Error() string { return fmt.Sprintf("gopls: %s (%d)", e.Message, e.Code) }

// newConn starts to read answers from r.
func newConn(r io.Reader, w io.WriteCloser) *conn {
	c := &conn{w: w, pending: map[int64]chan reply{}, ended: make(chan struct{})}
	c.wg.Add(1)
	go func() {
		defer c.wg.Done()
		c.read(bufio.NewReader(r))
	}()
	return c
}

// done is closed when the other side has gone.
func (c *conn) done() <-chan struct{} { return c.ended }

// close closes what is written to and waits until the other side closes, too.
func (c *conn) close() {
	_ = c.w.Close()
	c.wg.Wait()
}

// call sends a request and waits for its answer, which is decoded into result unless that is
// nil. If ctx ends first, the server is told to stop working on it.
func (c *conn) call(ctx context.Context, method string, params, result any) error {
	s, err := c.send(method, params)
	if err != nil {
		return err
	}
	return c.wait(ctx, method, s, result)
}

// wait waits for the answer to a request.
func (c *conn) wait(ctx context.Context, method string, s sent, result any) error {
	select {
	case r := <-s.reply:
		if r.err != nil || result == nil {
			return r.err
		}
		if err := json.Unmarshal(r.result, result); err != nil {
			return fmt.Errorf("gopls' answer to %s: %w", method, err)
		}
		return nil
	case <-ctx.Done():
		c.forget(s.id)
		_ = c.notify("$/cancelRequest", map[string]int64{"id": s.id})
		return ctx.Err()
	}
}

// sent is a request whose answer is awaited.
type sent struct {
	id    int64
	reply chan reply
}

// send writes a request.
func (c *conn) send(method string, params any) (sent, error) {
	answer := sent{reply: make(chan reply, 1)}
	c.mu.Lock()
	if c.pending == nil {
		c.mu.Unlock()
		return sent{}, errClosed
	}
	c.next++
	answer.id = c.next
	c.pending[answer.id] = answer.reply
	c.mu.Unlock()
	id := json.RawMessage(strconv.FormatInt(answer.id, 10))
	if err := c.write(message{ID: &id, Method: method}, params); err != nil {
		c.forget(answer.id)
		return sent{}, err
	}
	return answer, nil
}

// forget drops a request whose answer nobody waits for.
func (c *conn) forget(id int64) {
	c.mu.Lock()
	delete(c.pending, id)
	c.mu.Unlock()
}

// notify sends a message that has no answer.
func (c *conn) notify(method string, params any) error {
	return c.write(message{Method: method}, params)
}

// write sends a message with its header.
func (c *conn) write(m message, params any) error {
	m.Version = "2.0"
	if params != nil {
		data, err := json.Marshal(params)
		if err != nil {
			return fmt.Errorf("parameters of %s: %w", m.Method, err)
		}
		m.Params = data
	}
	data, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("message %s: %w", m.Method, err)
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err = fmt.Fprintf(c.w, "Content-Length: %d\r\n\r\n%s", len(data), data)
	return err
}

// read hands out answers until the connection ends; then every waiting call fails.
func (c *conn) read(r *bufio.Reader) {
	for {
		m, err := readMessage(r)
		if err != nil {
			break
		}
		c.handle(m)
	}
	c.mu.Lock()
	waiting := c.pending
	c.pending = nil
	c.mu.Unlock()
	for _, w := range waiting {
		w <- reply{err: errClosed}
	}
	close(c.ended)
}

// readMessage reads a header and the message that follows it.
func readMessage(r *bufio.Reader) (message, error) {
	header, err := textproto.NewReader(r).ReadMIMEHeader()
	if err != nil {
		return message{}, err
	}
	length, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil || length < 0 || length > maxMessage {
		return message{}, fmt.Errorf("a message's Content-Length is %q: it must be from 0 to %d", header.Get("Content-Length"), maxMessage)
	}
	data := make([]byte, length)
	if _, err := io.ReadFull(r, data); err != nil {
		return message{}, err
	}
	var m message
	if err := json.Unmarshal(data, &m); err != nil {
		return message{}, err
	}
	return m, nil
}

// handle hands an answer to its call, and answers the server's own calls.
func (c *conn) handle(m message) {
	if m.ID == nil {
		return
	}
	if m.Method != "" {
		c.grantNothing(m)
		return
	}
	id, err := strconv.ParseInt(string(*m.ID), 10, 64)
	if err != nil {
		return
	}
	c.mu.Lock()
	waiting := c.pending[id]
	delete(c.pending, id)
	c.mu.Unlock()
	if waiting == nil {
		return
	}
	if m.Error != nil {
		waiting <- reply{err: m.Error}
		return
	}
	waiting <- reply{result: m.Result}
}

// grantNothing answers a call of the server: null, and for settings as many nulls as it asked
// for.
func (c *conn) grantNothing(m message) {
	result := json.RawMessage("null")
	if m.Method == "workspace/configuration" {
		var asked struct{ Items []json.RawMessage }
		_ = json.Unmarshal(m.Params, &asked)
		result, _ = json.Marshal(make([]any, len(asked.Items)))
	}
	// Not in the reading goroutine: the server may wait until its output is read before it
	// reads on.
	go func() { _ = c.write(message{ID: m.ID, Result: result}, nil) }()
}
