// Package jupyter speaks Jupyter's wire protocol: connection files, signed messages and the
// five sockets, both as a kernel has them and as a client has them. It knows nothing of Go
// cells or of the kernel behind it. The protocol is described at
// https://jupyter-client.readthedocs.io/en/stable/messaging.html.
package jupyter

import (
	"encoding/json"
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
