// Command worker is Gaze's worker for bench/run.py. The Python workers in bench/peers use
// the same protocol. The first line on standard input is a task, a JSON object. The worker
// prepares it, computes the first answer and writes it to a file, and then replies
// {"ready":true,"engine":…}, or {"error":"why it can't be done"}. Each further line is a
// number of repetitions; the reply is {"seconds":…}.
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"github.com/gomlx/compute"

	"gaze/pkg/backend"
)

func main() {
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

// task describes the work to measure. bench/rows.py creates it.
type task struct {
	Kind    string `json:"kind"`
	Backend string `json:"backend"` // "xla": the default backend, which must be XLA; otherwise a backend's specification
	Weights string `json:"weights"`
	Input   string `json:"input"`  // float32 values
	Shape   [4]int `json:"shape"`  // of the input: [batch, 3, height, width]
	Output  string `json:"output"` // the file for the first answer, float32 values

	Precision string `json:"precision"` // of matrix products: "bfloat16", otherwise float32

	Labels        []int   `json:"labels"`
	Rate          float64 `json:"rate"`
	Accumulate    int     `json:"accumulate"`
	Checkpointing bool    `json:"checkpointing"`
	Losses        int     `json:"losses"` // number of updates whose losses are the first answer

	Pieces int `json:"pieces"` // tokens of a caption

	Method string `json:"method"` // of an explanation
	Steps  int    `json:"steps"`  // of integrated gradients

	Pipeline string   `json:"pipeline"`
	Check    string   `json:"check"` // the pipeline whose result is the first answer
	Pictures []string `json:"pictures"`
}

// work is one repetition.
type work func() error

func serve(in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	var t task
	first, err := lines.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("no task received: %w", err)
	}
	if err := json.Unmarshal(first, &t); err != nil {
		return fmt.Errorf("the task can't be read: %w", err)
	}
	replies := json.NewEncoder(out)
	answer, once, err := prepare(t)
	if err == nil {
		err = writeFloats(t.Output, answer)
	}
	if err != nil {
		return replies.Encode(map[string]string{"error": err.Error()})
	}
	if err := replies.Encode(map[string]any{"ready": true, "engine": engine(t.Backend)}); err != nil {
		return err
	}
	for {
		var n int
		if _, err := fmt.Fscanln(lines, &n); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("expected a number of repetitions: %w", err)
		}
		start := time.Now()
		for range n {
			if err := once(); err != nil {
				return err
			}
		}
		if err := replies.Encode(map[string]float64{"seconds": time.Since(start).Seconds()}); err != nil {
			return err
		}
	}
}

// prepare returns the first answer and the work that repeats it.
func prepare(t task) ([]float32, work, error) {
	if t.Kind == "pipeline" {
		return preparePipeline(t)
	}
	b, err := open(t.Backend)
	if err != nil {
		return nil, nil, err
	}
	switch t.Kind {
	case "inference", "attention":
		return prepareInference(b, t)
	case "training":
		return prepareTraining(b, t)
	case "caption":
		return prepareCaption(b, t)
	case "explain":
		return prepareExplain(b, t)
	}
	return nil, nil, fmt.Errorf("unknown kind of task %q", t.Kind)
}

func open(spec string) (compute.Backend, error) {
	if spec != "xla" {
		return backend.Open(spec)
	}
	b, err := backend.Default()
	if err == nil && !strings.HasPrefix(b.Name(), "xla") {
		return nil, fmt.Errorf("no XLA plugin was found: Gaze would use %s", b.Name())
	}
	return b, err
}

// engine returns the name and version of the backend, "" for tasks that need none.
func engine(spec string) string {
	if !strings.HasPrefix(spec, "xla") {
		return ""
	}
	if spec != "xla" {
		return spec
	}
	for _, c := range backend.Discover() {
		if c.Used {
			return strings.TrimSpace(c.Name + " " + c.Version)
		}
	}
	return ""
}

func readFloats(path string) ([]float32, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	values := make([]float32, len(raw)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return values, nil
}

func writeFloats(path string, values []float32) error {
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return os.WriteFile(path, raw, 0o644)
}
