// Package jupyter speaks Jupyter's wire protocol: connection files, signed messages and the
// five sockets, both as a kernel has them and as a client has them. It knows nothing of Go
// cells or of the kernel behind it. The protocol is described at
// https://jupyter-client.readthedocs.io/en/stable/messaging.html.
package jupyter

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
)

// ProtocolVersion is the version of the messages that this package writes.
const ProtocolVersion = "5.4"

// Header is the header of a message. Raw is the header as it came, which the parent header
// of an answer repeats, so that nothing that a client put there is lost.
type Header struct {
	ID       string `json:"msg_id"`
	Session  string `json:"session"`
	Username string `json:"username"`
	Date     string `json:"date"`
	Type     string `json:"msg_type"`
	Version  string `json:"version"`

	Raw json.RawMessage `json:"-"`
}

// Message is a message of any socket.
type Message struct {
	Identities [][]byte        // who sent it, or on iopub its topic
	Header     Header          // what it is
	Parent     Header          // the header of the message that it answers; empty for none
	Metadata   json.RawMessage // a JSON object
	Content    json.RawMessage // a JSON object
	Buffers    [][]byte        // binary data that follows
}

// delimiter ends the identities of a message.
const delimiter = "<IDS|MSG>"

// Parse reads the frames of a message. With a key, the signature must be that of the key.
// It returns an error that says what is wrong with any other frames.
func Parse(frames [][]byte, key []byte) (*Message, error) {
	at := -1
	for i, frame := range frames {
		if string(frame) == delimiter {
			at = i
			break
		}
	}
	if at < 0 {
		return nil, fmt.Errorf("message without the delimiter %s in %d frames", delimiter, len(frames))
	}
	parts := frames[at+1:]
	if len(parts) < 5 {
		return nil, fmt.Errorf("message with %d frames after the delimiter: a signature and 4 parts are needed", len(parts))
	}
	if len(key) > 0 && !hmac.Equal(sign(key, parts[1:5]), parts[0]) {
		return nil, fmt.Errorf("message with a wrong signature")
	}
	m := &Message{Identities: frames[:at], Buffers: parts[5:]}
	var err error
	if m.Header, err = parseHeader(parts[1]); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if m.Header.Type == "" {
		return nil, fmt.Errorf("header without msg_type")
	}
	if m.Parent, err = parseHeader(parts[2]); err != nil {
		return nil, fmt.Errorf("parent header: %w", err)
	}
	if m.Metadata, err = object(parts[3]); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	if m.Content, err = object(parts[4]); err != nil {
		return nil, fmt.Errorf("content: %w", err)
	}
	return m, nil
}

// parseHeader reads a header. Fields of other types than the protocol's are left empty.
func parseHeader(data []byte) (Header, error) {
	raw, err := object(data)
	if err != nil {
		return Header{}, err
	}
	h := Header{Raw: raw}
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		return Header{}, err
	}
	for name, to := range map[string]*string{
		"msg_id": &h.ID, "session": &h.Session, "username": &h.Username,
		"date": &h.Date, "msg_type": &h.Type, "version": &h.Version,
	} {
		*to, _ = fields[name].(string)
	}
	return h, nil
}

// object checks that data is a JSON object. null counts as {}, since some clients write it.
func object(data []byte) (json.RawMessage, error) {
	trimmed := bytes.TrimSpace(data)
	if string(trimmed) == "null" {
		return json.RawMessage("{}"), nil
	}
	if len(trimmed) == 0 || trimmed[0] != '{' || !json.Valid(trimmed) {
		return nil, fmt.Errorf("not a JSON object: %.40q", data)
	}
	return json.RawMessage(trimmed), nil
}

// Frames returns a message's frames, signed if there is a key.
func (m *Message) Frames(key []byte) [][]byte {
	parts := [][]byte{m.Header.json(), m.Parent.json(), orEmpty(m.Metadata), orEmpty(m.Content)}
	signature := []byte{}
	if len(key) > 0 {
		signature = sign(key, parts)
	}
	frames := make([][]byte, 0, len(m.Identities)+6+len(m.Buffers))
	frames = append(frames, m.Identities...)
	frames = append(frames, []byte(delimiter), signature)
	frames = append(frames, parts...)
	return append(frames, m.Buffers...)
}

// json returns a header as it came or else its fields; {} if it's empty.
func (h *Header) json() []byte {
	if len(h.Raw) > 0 {
		return h.Raw
	}
	if h.Type == "" && h.ID == "" {
		return []byte("{}")
	}
	data, _ := Marshal(h)
	return data
}

func orEmpty(data json.RawMessage) []byte {
	if len(data) == 0 {
		return []byte("{}")
	}
	return data
}

// sign returns the hexadecimal HMAC-SHA256 of a message's parts.
func sign(key []byte, parts [][]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		mac.Write(part)
	}
	sum := mac.Sum(nil)
	signature := make([]byte, hex.EncodedLen(len(sum)))
	hex.Encode(signature, sum)
	return signature
}

// Marshal is [json.Marshal] without HTML's escapes, which would lengthen pages and code.
// A [json.RawMessage] is returned as it is, and nil gives {}.
func Marshal(v any) (json.RawMessage, error) {
	switch v := v.(type) {
	case nil:
		return json.RawMessage("{}"), nil
	case json.RawMessage:
		return v, nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Session makes the messages of one side of a connection. Its ids are unique.
type Session struct {
	ID       string
	Username string
	count    atomic.Int64
}

// NewSession returns a session with a random id.
func NewSession(username string) *Session {
	return &Session{ID: randomID(), Username: username}
}

// New makes a message that answers parent, which may be nil.
func (s *Session) New(parent *Message, msgType string, content, metadata any, buffers ...[]byte) (*Message, error) {
	m := &Message{Buffers: buffers}
	var err error
	if m.Content, err = Marshal(content); err != nil {
		return nil, fmt.Errorf("content of %s: %w", msgType, err)
	}
	if m.Metadata, err = Marshal(metadata); err != nil {
		return nil, fmt.Errorf("metadata of %s: %w", msgType, err)
	}
	m.Header = Header{
		ID: s.ID + "_" + strconv.FormatInt(s.count.Add(1), 10), Session: s.ID, Username: s.Username,
		Date: time.Now().UTC().Format("2006-01-02T15:04:05.000000Z"), Type: msgType, Version: ProtocolVersion,
	}
	if parent != nil {
		m.Parent = parent.Header
		m.Header.Username = parent.Header.Username
	}
	return m, nil
}

// randomID returns 128 random bits as hexadecimal digits, in a UUID's groups.
func randomID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
