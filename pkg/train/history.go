package train

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"

	"gaze/internal/textfile"
)

// History is the epochs of the run in a folder, in order, as its metrics.jsonl
// tells them; none if the first isn't over. A last line that is still being
// written is passed over.
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
			Train *Evaluation `json:"train"` // batches' lines have none
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
