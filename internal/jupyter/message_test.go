package jupyter

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func frames(parts ...string) [][]byte {
	var list [][]byte
	for _, part := range parts {
		list = append(list, []byte(part))
	}
	return list
}

func TestMessageRoundTrip(t *testing.T) {
	s := NewSession("ann")
	request, err := s.New(nil, "execute_request", map[string]any{"code": "a < b && c"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	key := []byte("secret")
	request.Identities = frames("client")
	got, err := Parse(request.Frames(key), key)
	if err != nil {
		t.Fatal(err)
	}
	if got.Header.Type != "execute_request" || got.Header.Username != "ann" || got.Header.Version != ProtocolVersion || string(got.Identities[0]) != "client" {
		t.Errorf("header %+v, identities %q", got.Header, got.Identities)
	}
	if string(got.Content) != `{"code":"a < b && c"}` || string(got.Metadata) != "{}" || got.Parent.ID != "" {
		t.Errorf("content %s, metadata %s, parent %+v", got.Content, got.Metadata, got.Parent)
	}

	answer, err := NewSession("kernel").New(got, "display_data", json.RawMessage(`{"x":1}`), nil, []byte("buffer"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(answer.Frames(key), key)
	if err != nil {
		t.Fatal(err)
	}
	if again.Parent.ID != request.Header.ID || !bytes.Equal(again.Parent.Raw, got.Header.Raw) || string(again.Buffers[0]) != "buffer" {
		t.Errorf("parent %s of %s, buffers %q", again.Parent.Raw, got.Header.Raw, again.Buffers)
	}
}

// TestParentKeepsUnknownFields: clients may put anything into their headers.
func TestParentKeepsUnknownFields(t *testing.T) {
	m, err := Parse(frames("<IDS|MSG>", "", `{"msg_type":"x","msg_id":"1","subshell_id":null,"extra":[1]}`, "{}", "{}", "{}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, _ := NewSession("k").New(m, "x_reply", nil, nil)
	if got := string(answer.Frames(nil)[3]); !strings.Contains(got, `"extra":[1]`) {
		t.Errorf("parent header %s", got)
	}
}

func TestParseErrors(t *testing.T) {
	const header = `{"msg_type":"x","msg_id":"1"}`
	for _, test := range []struct {
		name   string
		frames [][]byte
		key    string
		want   string
	}{
		{"nothing", nil, "", "delimiter"},
		{"no delimiter", frames("a", "b"), "", "delimiter"},
		{"cut off", frames("<IDS|MSG>", "", header, "{}"), "", "3 frames"},
		{"signature", frames("<IDS|MSG>", "00", header, "{}", "{}", "{}"), "key", "signature"},
		{"no signature", frames("<IDS|MSG>", "", header, "{}", "{}", "{}"), "key", "signature"},
		{"header", frames("<IDS|MSG>", "", "{", "{}", "{}", "{}"), "", "header: not a JSON object"},
		{"type", frames("<IDS|MSG>", "", `{"msg_type":3}`, "{}", "{}", "{}"), "", "msg_type"},
		{"parent", frames("<IDS|MSG>", "", header, "[]", "{}", "{}"), "", "parent header"},
		{"metadata", frames("<IDS|MSG>", "", header, "{}", "3", "{}"), "", "metadata"},
		{"content", frames("<IDS|MSG>", "", header, "{}", "{}", "{}x"), "", "content"},
	} {
		m, err := Parse(test.frames, []byte(test.key))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %+v, %v", test.name, m, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	m, _ := NewSession("a").New(nil, "x", map[string]int{"y": 1}, nil)
	f.Add(bytes.Join(m.Frames(nil), []byte{0}), "")
	f.Add(bytes.Join(m.Frames([]byte("k")), []byte{0}), "k")
	f.Add([]byte("<IDS|MSG>\x00\x00{}\x00null\x00[]\x00{\"a\":"), "")
	f.Fuzz(func(t *testing.T, data []byte, key string) {
		m, err := Parse(bytes.Split(data, []byte{0}), []byte(key))
		if err != nil {
			return
		}
		again, err := Parse(m.Frames([]byte(key)), []byte(key))
		if err != nil {
			t.Fatalf("%v, of a message that was read", err)
		}
		if again.Header.ID != m.Header.ID || !bytes.Equal(again.Content, m.Content) {
			t.Errorf("%+v became %+v", m, again)
		}
	})
}

func TestConnectionFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kernel-1.json")
	want := Connection{Transport: "tcp", IP: "127.0.0.1", Shell: 1, Control: 2, Stdin: 3, IOPub: 4, Heartbeat: 5, Key: "k", Scheme: "hmac-sha256"}
	if err := want.Write(path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: others can read the key", info.Mode(), err)
	}
	got, err := ReadConnection(path)
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for text, want := range map[string]string{
		"{": "JSON", `{"transport":"pgm"}`: "transport", `{"key":"a","signature_scheme":"md5"}`: "signature_scheme", `{"shell_port":70000}`: "65535",
	} {
		if _, err := parseConnection([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := ReadConnection(path + "x"); err == nil {
		t.Error("a missing file was read")
	}
}

func FuzzConnection(f *testing.F) {
	f.Add([]byte(`{"transport":"ipc","ip":"/tmp/x","shell_port":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseConnection(data)
		if err == nil && c.Transport != "tcp" && c.Transport != "ipc" {
			t.Errorf("%+v", c)
		}
	})
}
