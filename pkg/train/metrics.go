package train

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gaze/internal/textfile"
)

// batchRecord is a batch's line in metrics.jsonl. A line without pictures is the update
// with the last, incomplete group of an epoch.
type batchRecord struct {
	Epoch    int     `json:"epoch"`
	Batch    int     `json:"batch"`
	Update   int     `json:"update"`
	Loss     float64 `json:"loss,omitempty"`
	Correct  int     `json:"correct"`
	Pictures int     `json:"pictures"`
	Rate     float64 `json:"rate,omitempty"`
	GradNorm float64 `json:"grad_norm,omitempty"`
	Seconds  float64 `json:"seconds"`
}

// EpochMetrics is an epoch's line in metrics.jsonl.
type EpochMetrics struct {
	Epoch      int         `json:"epoch"`
	Update     int         `json:"update"`
	Train      Evaluation  `json:"train"`
	Validation *Evaluation `json:"validation,omitempty"`
	Seconds    float64     `json:"seconds"`
}

// metricsLog appends lines to metrics.jsonl.
type metricsLog struct{ *tail }

func openMetrics(dir string, size int64) (*metricsLog, error) {
	end, err := openTail(filepath.Join(dir, metricsFile), size)
	if err != nil {
		return nil, err
	}
	return &metricsLog{end}, nil
}

// add writes one line.
func (l *metricsLog) add(record any) error {
	line, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return l.write(append(line, '\n'))
}

// History is the complete epochs of the run in a folder, in order, from its metrics.jsonl.
// A last line that is still being written is skipped.
func History(dir string) ([]EpochMetrics, error) {
	path := filepath.Join(dir, metricsFile)
	data, err := textfile.ReadRaw(path)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if end := bytes.LastIndexByte(data, '\n'); end >= 0 {
		data = data[:end+1]
	} else {
		data = nil
	}
	var list []EpochMetrics
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		var line struct {
			EpochMetrics
			Train *Evaluation `json:"train"` // the lines of batches have none
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("train: %s: line %d: %w", path, n, err)
		}
		if line.Train == nil {
			continue
		}
		line.EpochMetrics.Train = *line.Train
		if line.Epoch != len(list)+1 {
			return nil, fmt.Errorf("train: %s: line %d: epoch %d stands where epoch %d should", path, n, line.Epoch, len(list)+1)
		}
		list = append(list, line.EpochMetrics)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("train: %s: %w", path, err)
	}
	return list, nil
}

// tail is a file that a run appends to. What a killed run wrote after its last checkpoint
// is cut off on resuming, since the run trains and writes that part again.
type tail struct {
	file *os.File
	size int64
}

// openTail opens a file, or creates it, and cuts it to size bytes.
func openTail(path string, size int64) (*tail, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.Size() < size {
		err = fmt.Errorf("%s has %d bytes, fewer than the %d it had at the checkpoint: it was changed; put it back, or begin the run again in another folder", path, info.Size(), size)
	}
	if err == nil {
		err = file.Truncate(size)
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekEnd)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &tail{file: file, size: size}, nil
}

func (t *tail) write(data []byte) error {
	n, err := t.file.Write(data)
	t.size += int64(n)
	return err
}

// sync makes sure that what was written is on the disk.
func (t *tail) sync() error { return t.file.Sync() }

func (t *tail) close() error { return t.file.Close() }
