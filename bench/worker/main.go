// Command worker is Gaze's side of bench/run.py, whose Python sides are in
// bench/peers and speak the same: the first line on standard input is a task, a JSON
// object, which is prepared and answered with {"ready":true,"engine":…}, or with
// {"error":"why it can't be done"}, once the first answer has been computed and
// written; each line after it is a number of repetitions, answered with
// {"seconds":…}.
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

// task is what is to be measured, as bench/rows.py makes it.
type task struct {
	Kind    string `json:"kind"`
	Backend string `json:"backend"` // "xla": the one that Gaze uses by itself, which must be XLA; else its specification
	Weights string `json:"weights"`
	Input   string `json:"input"`  // float32 values
	Shape   [4]int `json:"shape"`  // of the input: [batch, 3, height, width]
	Output  string `json:"output"` // where the first answer goes, float32 values

	Precision string `json:"precision"` // of products: "bfloat16"; else float32

	Labels        []int   `json:"labels"`
	Rate          float64 `json:"rate"`
	Accumulate    int     `json:"accumulate"`
	Checkpointing bool    `json:"checkpointing"`
	Losses        int     `json:"losses"` // how many updates' losses are the first answer

	Pieces int `json:"pieces"` // of a caption

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
		return fmt.Errorf("no task came: %w", err)
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
			return fmt.Errorf("a number of repetitions should have come: %w", err)
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

// prepare returns the first answer and what repeats it.
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

// engine names what computed, with its version; nothing for what needs none.
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
