package jupyter

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const patienceOfTests = 20 * time.Second

// serve opens a server whose requests are answered by an echo.
func serve(t *testing.T, c Connection) (*Server, *logs) {
	t.Helper()
	var s *Server
	l := &logs{}
	var ready sync.WaitGroup
	ready.Add(1)
	s, err := Listen(c, func(channel Channel, m *Message) {
		ready.Wait()
		s.Reply(channel, m, "echo_reply", m.Content, nil, m.Buffers...)
	}, l.add)
	if err != nil {
		t.Fatal(err)
	}
	ready.Done()
	t.Cleanup(func() { s.Close(0) })
	return s, l
}

// logs collects what a server reports.
type logs struct {
	mu    sync.Mutex
	lines []string
}

func (l *logs) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

// wait waits for a line with a text.
func (l *logs) wait(t *testing.T, text string) {
	t.Helper()
	for start := time.Now(); time.Since(start) < patienceOfTests; time.Sleep(5 * time.Millisecond) {
		l.mu.Lock()
		found := strings.Contains(strings.Join(l.lines, "\n"), text)
		l.mu.Unlock()
		if found {
			return
		}
	}
	t.Fatalf("no %q in %q", text, l.lines)
}

var tcp = Connection{Transport: "tcp", IP: "127.0.0.1", Key: "secret", Scheme: "hmac-sha256"}

// client connects and collects messages.
func client(t *testing.T, s *Server) (c *Client, replies, published chan *Message) {
	t.Helper()
	replies, published = make(chan *Message, 100), make(chan *Message, 100000)
	ctx, cancel := context.WithTimeout(context.Background(), patienceOfTests)
	defer cancel()
	c, err := Dial(ctx, s.Connection(), func(_ Channel, m *Message) { replies <- m }, func(m *Message) { published <- m }, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if m := next(t, published); m.Header.Type != "iopub_welcome" {
		t.Fatalf("first message on iopub: %s", m.Header.Type)
	}
	return c, replies, published
}

func next(t *testing.T, messages chan *Message) *Message {
	t.Helper()
	select {
	case m := <-messages:
		return m
	case <-time.After(patienceOfTests):
		t.Fatal("no message came")
		return nil
	}
}

func TestServerAndClient(t *testing.T) {
	for name, connection := range map[string]Connection{
		"tcp": tcp, "ipc": {Transport: "ipc", IP: filepath.Join(t.TempDir(), "s"), Shell: 1, Control: 2, Stdin: 3, IOPub: 4, Heartbeat: 5},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := serve(t, connection)
			one, ones, onesPublished := client(t, s)
			_, twos, twosPublished := client(t, s)
			big := bytes.Repeat([]byte("x"), 3<<20)
			for _, channel := range []Channel{Shell, Control, Stdin} {
				sent, err := one.Send(channel, "echo_request", map[string]int{"n": int(channel)}, nil, big, nil)
				if err != nil {
					t.Fatal(err)
				}
				got := next(t, ones)
				if got.Parent.ID != sent.Header.ID || !bytes.Equal(got.Buffers[0], big) || len(got.Buffers) != 2 {
					t.Errorf("%s: parent %s of %s, %d buffers", channel, got.Parent.ID, sent.Header.ID, len(got.Buffers))
				}
			}
			for i := range 1000 {
				if err := s.Publish(nil, "stream", map[string]int{"i": i}, nil); err != nil {
					t.Fatal(err)
				}
			}
			for _, published := range []chan *Message{onesPublished, twosPublished} {
				for i := range 1000 {
					if m := next(t, published); string(m.Content) != fmt.Sprintf(`{"i":%d}`, i) {
						t.Fatalf("message %d: %s", i, m.Content)
					}
				}
			}
			select {
			case m := <-twos:
				t.Errorf("another client's reply: %+v", m)
			default:
			}
		})
	}
}

// TestWrongKey: what isn't signed with the key is reported and dropped.
func TestWrongKey(t *testing.T) {
	s, l := serve(t, tcp)
	c, replies, _ := client(t, s)
	stranger, _, _ := client(t, s)
	stranger.key = []byte("other")
	if _, err := stranger.Send(Shell, "echo_request", nil, nil); err != nil {
		t.Fatal(err)
	}
	l.wait(t, "wrong signature")
	if _, err := c.Send(Shell, "echo_request", nil, nil); err != nil {
		t.Fatal(err)
	}
	next(t, replies)
}

// TestStrangers: whatever connects to a port doesn't disturb others.
func TestStrangers(t *testing.T) {
	s, l := serve(t, tcp)
	_, address := s.Connection().address(s.Connection().Shell)
	silent, err := net.Dial("tcp", address) // never greets
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ready := property([]byte("\x05READY"), "Socket-Type", "DEALER")
	greeting := append([]byte("\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\x00NULL"), make([]byte, 48)...)
	for name, test := range map[string]struct{ bytes, log string }{
		"http":       {"GET / HTTP/1.1\r\nHost: somewhere.example.org\r\nAccept: text/html, anything\r\n\r\n", "greeting"},
		"other type": {string(greeting) + string(appendFrame(nil, flagCommand, property([]byte("\x05READY"), "Socket-Type", "PUB"))), "can't talk"},
		"no ready":   {string(greeting) + string(appendFrame(nil, flagCommand, []byte("\x05HELLO"))), "READY"},
		"cut ready":  {string(greeting) + string(appendFrame(nil, flagCommand, ready[:len(ready)-3])), "cut off"},
		"message":    {string(greeting) + string(appendFrame(nil, 0, []byte("hi"))), "before READY"},
		"huge frame": {string(greeting) + string(appendFrame(nil, flagCommand, ready)) + "\x02\x7f\xff\xff\xff\xff\xff\xff\xff", ""},
	} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		conn.Write([]byte(test.bytes))
		conn.SetReadDeadline(time.Now().Add(patienceOfTests))
		if _, err := io.Copy(io.Discard, conn); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%s: the connection wasn't ended: %v", name, err)
		}
		if test.log != "" {
			l.wait(t, test.log)
		}
		conn.Close()
	}
	c, replies, _ := client(t, s)
	if _, err := c.Send(Shell, "echo_request", nil, nil); err != nil {
		t.Fatal(err)
	}
	next(t, replies)
}

// TestHeartbeat: the echo of REQ sockets, which send an empty frame first.
func TestHeartbeat(t *testing.T) {
	s, _ := serve(t, tcp)
	_, address := s.Connection().address(s.Connection().Heartbeat)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	p, err := handshake(conn, "REQ", "", "REP")
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	go p.write()
	p.send(encode(frames("", "ping")))
	got, _, err := readMessage(p.r, 100)
	if err != nil || len(got) != 2 || string(got[1]) != "ping" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestSlowSubscriber: publishing waits for a slow client and loses nothing.
func TestSlowSubscriber(t *testing.T) {
	s, _ := serve(t, tcp)
	_, address := s.Connection().address(s.Connection().IOPub)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	p, err := handshake(conn, "SUB", "", "PUB")
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	conn.Write(appendFrame(nil, 0, []byte{1}))
	if _, _, err := readMessage(p.r, 1<<20); err != nil { // the welcome
		t.Fatal(err)
	}
	const n, size = 40, 1 << 20
	done := make(chan struct{})
	go func() {
		defer close(done)
		text, _ := json.Marshal(map[string]string{"text": strings.Repeat("x", size)})
		for range n {
			s.Publish(nil, "stream", json.RawMessage(text), nil)
		}
	}()
	select {
	case <-done:
		t.Error("the publisher didn't wait")
	case <-time.After(300 * time.Millisecond):
	}
	for i := range n {
		got, _, err := readMessage(p.r, 2*size)
		if err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		if len(got) != 7 {
			t.Fatalf("message %d has %d frames", i, len(got))
		}
	}
	<-done
}

// TestCrowded: a client that's slow with what's published says so, and when it isn't any more.
func TestCrowded(t *testing.T) {
	s, _ := serve(t, tcp)
	crowds := make(chan bool, 10)
	let := make(chan struct{})
	welcomed := make(chan struct{}, 100)
	ctx, cancel := context.WithTimeout(context.Background(), patienceOfTests)
	defer cancel()
	c, err := Dial(ctx, s.Connection(), func(Channel, *Message) {}, func(m *Message) {
		welcomed <- struct{}{}
		<-let
	}, func(crowd bool) { crowds <- crowd })
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	<-welcomed
	text, _ := json.Marshal(map[string]string{"text": strings.Repeat("x", 1<<20)})
	go func() {
		for range 20 {
			s.Publish(nil, "stream", json.RawMessage(text), nil)
		}
	}()
	for _, want := range []bool{true, false} {
		select {
		case got := <-crowds:
			if got != want {
				t.Fatalf("crowded %v, want %v", got, want)
			}
		case <-time.After(patienceOfTests):
			t.Fatalf("crowded(%v) wasn't called", want)
		}
		if want {
			close(let)
		}
	}
}

func TestListenErrors(t *testing.T) {
	s, _ := serve(t, tcp)
	if _, err := Listen(s.Connection(), nil, nil); err == nil || !strings.Contains(err.Error(), "socket") {
		t.Errorf("ports in use: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	s.Close(0)
	if _, err := Dial(ctx, s.Connection(), nil, nil, nil); err == nil {
		t.Error("connected to a closed kernel")
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add(bytes.Join(encode(frames("a", strings.Repeat("b", 300), "")), nil))
	f.Add([]byte{flagCommand, 5, 'h', 'e', 'l', 'l', 'o'})
	f.Add([]byte{flagLong | flagMore, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		got, command, err := readMessage(bufio.NewReader(bytes.NewReader(data)), 1<<16)
		if err != nil || command {
			return
		}
		again, _, err := readMessage(bufio.NewReader(bytes.NewReader(bytes.Join(encode(got), nil))), 1<<16)
		if err != nil || len(again) != len(got) {
			t.Fatalf("%d frames became %d: %v", len(got), len(again), err)
		}
		for i := range got {
			if !bytes.Equal(got[i], again[i]) {
				t.Errorf("frame %d: %q became %q", i, got[i], again[i])
			}
		}
	})
}

func FuzzReady(f *testing.F) {
	f.Add(property(property([]byte("\x05READY"), "Socket-Type", "DEALER"), "Identity", "me"))
	f.Fuzz(func(t *testing.T, data []byte) {
		(&peer{}).readReady(data)
	})
}

func ExampleListen() {
	var kernel *Server
	kernel, err := Listen(Connection{Transport: "tcp", IP: "127.0.0.1"}, func(c Channel, m *Message) {
		kernel.Reply(c, m, "kernel_info_reply", map[string]string{"status": "ok"}, nil)
	}, func(string, ...any) {})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kernel.Close(0)
	replies := make(chan *Message)
	client, err := Dial(context.Background(), kernel.Connection(), func(_ Channel, m *Message) { replies <- m }, func(*Message) {}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	client.Send(Shell, "kernel_info_request", nil, nil)
	m := <-replies
	fmt.Println(m.Header.Type, string(m.Content))
	// Output: kernel_info_reply {"status":"ok"}
}
