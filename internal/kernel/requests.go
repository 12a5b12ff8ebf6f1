package kernel

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"

	"gaze/internal/jupyter"
)

// receive takes a request from a client. Requests other than those of cells are answered
// at once, also while a cell runs.
func (k *Kernel) receive(channel jupyter.Channel, m *jupyter.Message) {
	switch m.Header.Type {
	case "execute_request":
		k.queue.add(channel, m)
	case "input_reply":
		k.deliverInput(m)
	case "comm_open", "comm_msg", "comm_close":
		k.comms <- func() { k.comm(m) }
	case "interrupt_request":
		k.interrupt("")
		go k.answer(channel, m, func() any { return map[string]string{"status": "ok"} })
	case "shutdown_request":
		go k.answerShutdown(channel, m)
	default:
		if channel == jupyter.Stdin {
			return
		}
		go k.answer(channel, m, func() any { return k.content(m) })
	}
}

// answer answers a request, with the status messages around it.
func (k *Kernel) answer(channel jupyter.Channel, m *jupyter.Message, content func() any) {
	k.Publish(m, "status", state("busy"), nil)
	reply := strings.TrimSuffix(m.Header.Type, "_request") + "_reply"
	if err := k.server.Reply(channel, m, reply, content(), nil); err != nil {
		k.logf("%v", err)
	}
	k.Publish(m, "status", state("idle"), nil)
	if c := k.current(); c != nil && c.request != m {
		// Front ends show the state that was told last.
		k.Publish(c.request, "status", state("busy"), nil)
	}
}

// content returns the content of the reply to a request.
func (k *Kernel) content(m *jupyter.Message) any {
	switch m.Header.Type {
	case "kernel_info_request":
		return k.info()
	case "history_request":
		return map[string]any{"status": "ok", "history": []any{}}
	case "connect_request":
		c := k.Connection()
		return map[string]any{"status": "ok", "shell_port": c.Shell, "iopub_port": c.IOPub, "stdin_port": c.Stdin, "hb_port": c.Heartbeat, "control_port": c.Control}
	case "is_complete_request":
		return k.isComplete(m)
	case "comm_info_request":
		return k.commInfo(m)
	case "complete_request":
		return k.complete(m)
	case "inspect_request":
		return k.inspect(m)
	case "debug_request":
		return map[string]any{"type": "response", "success": false, "message": "this kernel has no debugger"}
	}
	return map[string]any{"status": "error", "ename": "UnknownRequest", "evalue": "this kernel doesn't know " + m.Header.Type, "traceback": []string{}}
}

// info is the content of a kernel_info_reply.
func (k *Kernel) info() any {
	version := k.config.Version
	if version == "" {
		version = runtime.Version()
	}
	version, _, _ = strings.Cut(version, " ")
	return map[string]any{
		"status": "ok", "protocol_version": jupyter.ProtocolVersion,
		"implementation": "gaze", "implementation_version": "1.0",
		"banner": fmt.Sprintf("Go (%s) with Gaze: cells are compiled by GoNB", version),
		"language_info": map[string]any{
			"name": "go", "version": strings.TrimPrefix(version, "go"), "mimetype": "text/x-go", "file_extension": ".go",
			"pygments_lexer": "go", "codemirror_mode": "go", "nbconvert_exporter": "",
		},
		"help_links": []map[string]string{
			{"text": "Go", "url": "https://go.dev/doc/"},
			{"text": "Go's standard library", "url": "https://pkg.go.dev/std"},
			{"text": "GoNB", "url": "https://github.com/janpfeifer/gonb"},
		},
		"supported_features": []string{}, "debugger": false,
	}
}

func (k *Kernel) isComplete(m *jupyter.Message) any {
	var content struct{ Code string }
	json.Unmarshal(m.Content, &content)
	status, indent := isComplete(content.Code)
	reply := map[string]string{"status": status}
	if status == "incomplete" {
		reply["indent"] = indent
	}
	return reply
}

func (k *Kernel) commInfo(m *jupyter.Message) any {
	var content struct {
		Target string `json:"target_name"`
	}
	json.Unmarshal(m.Content, &content)
	comms := map[string]any{}
	if k.Comms != nil {
		if list := k.Comms.Info(content.Target); list != nil {
			comms = list
		}
	}
	return map[string]any{"status": "ok", "comms": comms}
}

// atCursor is the content of a complete_request or an inspect_request.
type atCursor struct {
	Code   string
	Cursor *int `json:"cursor_pos"`
	Detail int  `json:"detail_level"`
}

// readAtCursor reads a request; a cursor that's missing or outside is at the end.
func readAtCursor(m *jupyter.Message) atCursor {
	var content atCursor
	json.Unmarshal(m.Content, &content)
	if n := len([]rune(content.Code)); content.Cursor == nil || *content.Cursor < 0 || *content.Cursor > n {
		content.Cursor = &n
	}
	return content
}

// complete answers by the completer, or else by GoNB while no cell runs.
func (k *Kernel) complete(m *jupyter.Message) any {
	content := readAtCursor(m)
	reply := map[string]any{"status": "ok", "matches": []string{}, "cursor_start": *content.Cursor, "cursor_end": *content.Cursor, "metadata": map[string]any{}}
	if k.Completer != nil {
		if found, ok := k.Completer.Complete(content.Code, *content.Cursor); ok {
			if found.Matches != nil {
				reply["matches"] = found.Matches
			}
			if found.Metadata != nil {
				reply["metadata"] = found.Metadata
			}
			reply["cursor_start"], reply["cursor_end"] = found.Start, found.End
			return reply
		}
	}
	if asked := k.askGoNB(m, content); asked != nil {
		return asked
	}
	return reply
}

// inspect answers as complete does.
func (k *Kernel) inspect(m *jupyter.Message) any {
	content := readAtCursor(m)
	reply := map[string]any{"status": "ok", "found": false, "data": map[string]any{}, "metadata": map[string]any{}}
	if k.Completer != nil {
		if found, ok := k.Completer.Inspect(content.Code, *content.Cursor, content.Detail); ok {
			reply["found"] = found.Found
			if found.Data != nil {
				reply["data"] = found.Data
			}
			return reply
		}
	}
	if asked := k.askGoNB(m, content); asked != nil {
		return asked
	}
	return reply
}

// askGoNB asks GoNB, unless it runs a cell: it answers one request after another. The
// result is nil if there's no answer.
func (k *Kernel) askGoNB(m *jupyter.Message, content atCursor) any {
	g := k.running()
	if g == nil || k.current() != nil || read(content.Code).unsafe() {
		return nil
	}
	select {
	case <-g.ready:
	default:
		return nil
	}
	f, err := g.forward(m, nil, jupyter.Shell, m.Header.Type, map[string]any{
		"code": content.Code, "cursor_pos": *content.Cursor, "detail_level": content.Detail,
	}, nil)
	if err != nil {
		return nil
	}
	select {
	case reply := <-f.reply:
		return reply.Content
	case <-g.dead:
		return nil
	}
}

// comm serves a message of a comm: by what implements it, or else by GoNB.
func (k *Kernel) comm(m *jupyter.Message) {
	var content struct {
		ID     string `json:"comm_id"`
		Target string `json:"target_name"`
	}
	json.Unmarshal(m.Content, &content)
	k.Publish(m, "status", state("busy"), nil)
	defer func() {
		k.Publish(m, "status", state("idle"), nil)
		if c := k.current(); c != nil {
			k.Publish(c.request, "status", state("busy"), nil)
		}
	}()
	if k.Comms != nil && (k.Comms.Has(content.ID) || m.Header.Type == "comm_open" && k.Comms.Serves(content.Target)) {
		serve := map[string]func(*jupyter.Message) error{"comm_open": k.Comms.Open, "comm_msg": k.Comms.Msg, "comm_close": k.Comms.Close}[m.Header.Type]
		if err := serve(m); err != nil {
			k.logf("%s: %v", m.Header.Type, err)
		}
		return
	}
	if g := k.running(); g != nil {
		g.forward(m, nil, jupyter.Shell, m.Header.Type, m.Content, m.Metadata, m.Buffers...)
		return
	}
	if m.Header.Type == "comm_open" { // nobody knows the target: the protocol wants it closed
		k.Publish(m, "comm_close", map[string]any{"comm_id": content.ID, "data": map[string]any{}}, nil)
	}
}

// answerShutdown answers, then ends the kernel. Jupyter starts it again itself.
func (k *Kernel) answerShutdown(channel jupyter.Channel, m *jupyter.Message) {
	var content struct{ Restart bool }
	json.Unmarshal(m.Content, &content)
	reply := map[string]any{"status": "ok", "restart": content.Restart}
	if k.Comms != nil {
		if err := k.Comms.Shutdown(content.Restart); err != nil {
			k.logf("%v", err)
		}
	}
	k.answer(channel, m, func() any {
		k.Publish(m, "shutdown_reply", reply, nil)
		return reply
	})
	k.end()
}
