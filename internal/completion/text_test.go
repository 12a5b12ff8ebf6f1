package completion

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestPlain(t *testing.T) {
	for _, test := range []struct{ markdown, want string }{
		{"```go\nfunc F(a *b) `c`\n```\n\n---\n\nF \\*is\\* \\`go run\\` and **`items ...*x`**", "func F(a *b) `c`\n\n---\n\nF *is* `go run` and items ...*x"},
		{"see [`x`](https://pkg.go.dev/fmt#X)", "see x (https://pkg.go.dev/fmt#X)"},
		{"a \\[class] token, ` code `", "a [class] token,  code"},
	} {
		if got := plain(test.markdown); got != test.want {
			t.Errorf("%q:\n got %q\nwant %q", test.markdown, got, test.want)
		}
	}
}

func TestClean(t *testing.T) {
	c := &Completer{options: Options{Root: clone(t)}}
	for _, test := range []struct{ markdown, want string }{
		{"text\n\n---\n\n[`f` on pkg.go.dev](https://pkg.go.dev/gaze/pkg/x#f)", "text"},
		{"text\n\n---\n\n[`f` on pkg.go.dev](https://pkg.go.dev//home/me/gaze@/pkg/x#f)", "text"},
		{"text\n\n---\n\n[`f` on pkg.go.dev](https://pkg.go.dev/fmt#f)", "text\n\n---\n\n[`f` on pkg.go.dev](https://pkg.go.dev/fmt#f)"},
		{"see [x](file:///tmp/a.go#L3) and [y](https://pkg.go.dev/gaze.cells#y), [z](https://go.dev)", "see x and y, [z](https://go.dev)"},
		{"```go\n[a](b)\n```", "```go\n[a](b)\n```"},
		{"[](https://pkg.go.dev/) and []()", "and"},
	} {
		if got := c.clean(test.markdown); got != test.want {
			t.Errorf("%q:\n got %q\nwant %q", test.markdown, got, test.want)
		}
	}
}

func TestMatching(t *testing.T) {
	all := []candidate{{text: "Show"}, {text: "shown"}, {text: "AboutShow"}, {text: "Show"}, {text: "Übung"}}
	for _, test := range []struct {
		prefix string
		want   []string
	}{
		{"", []string{"Show", "shown", "AboutShow", "Übung"}},
		{"sh", []string{"Show", "shown"}},
		{"üb", []string{"Übung"}},
		{"abs", []string{"AboutShow"}},
		{"xyz", nil},
	} {
		var got []string
		for _, f := range matching(all, test.prefix) {
			got = append(got, f.text)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, want %q", test.prefix, got, test.want)
		}
	}
}

func TestCache(t *testing.T) {
	var c cache
	for i := range cacheSize + 1 {
		c.put(cacheKey{age: i}, cached{prefix: "a"})
	}
	if _, ok := c.get(cacheKey{age: 0}, "a"); ok {
		t.Error("the oldest is still there")
	}
	for prefix, want := range map[string]bool{"a": true, "ab": true, "": false, "b": false} {
		if _, ok := c.get(cacheKey{age: cacheSize}, prefix); ok != want {
			t.Errorf("%q: %v", prefix, ok)
		}
	}
}

func TestPackageName(t *testing.T) {
	for path, want := range map[string]string{"fmt": "fmt", "math/rand/v2": "rand", "gaze/pkg/vit": "vit", "github.com/x/go-y": "y"} {
		if got := packageName(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// server is the other side of a connection.
func server(t *testing.T) (c *conn, in *bufio.Reader, out *io.PipeWriter) {
	t.Helper()
	toServer, w := io.Pipe()
	r, fromServer := io.Pipe()
	c = newConn(r, w)
	t.Cleanup(func() { _ = fromServer.Close(); c.close() })
	return c, bufio.NewReader(toServer), fromServer
}

// say writes a message as the server.
func say(w io.Writer, text string) { fmt.Fprintf(w, "Content-Length: %d\r\n\r\n%s", len(text), text) }

func TestCalls(t *testing.T) {
	c, in, out := server(t)
	go func() {
		first, _ := readMessage(in)
		second, _ := readMessage(in)
		say(out, `{"jsonrpc":"2.0","method":"window/logMessage","params":{}}`)
		say(out, `{"jsonrpc":"2.0","id":"a","method":"workspace/configuration","params":{"items":[{},{}]}}`)
		m, _ := readMessage(in)
		say(out, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":1,"message":"no %s for %s"}}`, *second.ID, second.Method, m.Result))
		say(out, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%s}`, *first.ID, first.Params))
	}()
	a, err := c.send("a", "question")
	if err != nil {
		t.Fatal(err)
	}
	err = c.call(t.Context(), "b", nil, nil)
	if err == nil || !strings.Contains(err.Error(), "no b for [null,null]") {
		t.Errorf("the error is %v", err)
	}
	var got string
	if err := c.wait(t.Context(), "a", a, &got); err != nil || got != "question" {
		t.Errorf("the answer is %q, %v", got, err)
	}
}

func TestCallIsCancelled(t *testing.T) {
	c, in, _ := server(t)
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan message, 1)
	go func() {
		_, _ = readMessage(in)
		cancel()
		m, _ := readMessage(in)
		seen <- m
	}()
	if err := c.call(ctx, "a", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if m := <-seen; m.Method != "$/cancelRequest" || !json.Valid(m.Params) {
		t.Errorf("the server got %+v", m)
	}
}

func TestServerEnds(t *testing.T) {
	c, in, out := server(t)
	go func() {
		_, _ = readMessage(in)
		_ = out.Close()
	}()
	if err := c.call(t.Context(), "a", nil, nil); !errors.Is(err, errClosed) {
		t.Errorf("the error is %v", err)
	}
	if err := c.call(t.Context(), "a", nil, nil); !errors.Is(err, errClosed) {
		t.Errorf("the error of a later call is %v", err)
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add([]byte("Content-Length: 17\r\n\r\n{\"jsonrpc\":\"2.0\"}"))
	f.Add([]byte("Content-Length: -1\r\n\r\n"))
	f.Add([]byte("Content-Length: 99999999999\r\nA: b\r\n\r\n{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := readMessage(bufio.NewReader(strings.NewReader(string(data))))
		if err == nil && m.ID != nil && !json.Valid(*m.ID) {
			t.Errorf("the id is %q", *m.ID)
		}
	})
}
